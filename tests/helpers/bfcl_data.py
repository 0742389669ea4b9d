"""A folder of a few rows in the schema of the Berkeley Function-Calling Leaderboard v4, written for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from acgym.envs.tools.bfcl.files import CATEGORIES, EXTENSIONS, SERVICE_FILES


def function(name: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    parameters = {"type": "dict", "properties": properties, "required": required}
    return {"name": name, "description": f"Does {name}.", "parameters": parameters}


def asked(words: str) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": words}]]


AREA = function(
    "shape.area",
    {
        "base": {"type": "integer", "description": "Base."},
        "height": {"type": "float", "description": "Height."},
        "unit": {"type": "string", "description": "Unit."},
    },
    ["base", "height"],
)
PAINT = function(
    "paint", {"colours": {"type": "array", "items": {"type": "string"}, "description": "Which."}}, ["colours"]
)
JAVA = function(
    "Store.put",
    {
        "count": {"type": "long", "description": "How many."},
        "names": {"type": "ArrayList", "items": {"type": "String"}, "description": "Which."},
    },
    ["count"],
)
JAVASCRIPT = function("draw", {"size": {"type": "Bigint", "description": "Size."}}, ["size"])
AREA_GOLD = {"shape.area": {"base": [10], "height": [5.0], "unit": ["cm", "centimetres", ""]}}

SINGLE: dict[str, list[tuple[str, list[Any], Any]]] = {
    "simple_python": [
        ("Area of 10 by 5?", [AREA], [AREA_GOLD]),
        ("Paint it red and blue.", [PAINT], [{"paint": {"colours": [["red", "blue"], ["blue", "red"]]}}]),
    ],
    "simple_java": [("Put 5.", [JAVA], [{"Store.put": {"count": [5], "names": [["a", "b"]]}}])],
    "simple_javascript": [("Draw.", [JAVASCRIPT], [{"draw": {"size": [7]}}])],
    "multiple": [("Area of 10 by 5?", [PAINT, AREA], [AREA_GOLD])],
    "parallel": [
        ("Areas of 10 by 5 and 1 by 2?", [AREA], [AREA_GOLD, {"shape.area": {"base": [1], "height": [2.0]}}]),
    ],
    "irrelevance": [("What is the time?", [AREA], None)],
    "live_relevance": [("Measure something.", [AREA], None)],
}

FILES = [
    function("cd", {"folder": {"type": "string", "description": "Where."}}, ["folder"]),
    function("ls", {"a": {"type": "boolean", "description": "All.", "default": False}}, []),
    function("mkdir", {"dir_name": {"type": "string", "description": "Name."}}, ["dir_name"]),
    function(
        "mv",
        {
            "source": {"type": "string", "description": "What."},
            "destination": {"type": "string", "description": "Where."},
        },
        ["source", "destination"],
    ),
    function("cat", {"file_name": {"type": "string", "description": "Which."}}, ["file_name"]),
    function("sort", {"file_name": {"type": "string", "description": "Which."}}, ["file_name"]),
]
MATHS = [
    function(
        "add",
        {"a": {"type": "float", "description": "One."}, "b": {"type": "float", "description": "Other."}},
        ["a", "b"],
    )
]
TREE = {
    "root": {
        "home": {
            "type": "directory",
            "contents": {
                "notes.txt": {"type": "file", "content": "b\na"},
                "old": {"type": "directory", "contents": {}},
            },
        }
    }
}
USER = {"role": "user"}


def dialogue(turns: list[str], gold: list[list[str]], **more: Any) -> tuple[dict[str, Any], list[list[str]]]:
    question = [[{**USER, "content": words}] if words else [] for words in turns]
    row = {"question": question, "initial_config": {"GorillaFileSystem": TREE}, "path": []}
    return {**row, "involved_classes": ["GorillaFileSystem", "MathAPI"], **more}, gold


DIALOGUES = {
    "multi_turn_base": [
        dialogue(
            ["Move notes.txt into old.", "Sort it, and add 1 and 2."],
            [["mv('notes.txt', 'old')"], ["cd(folder='old')", "sort('notes.txt')", "add(a=1, b=2)"]],
        ),
        dialogue(["What is there?"], [["ls(a=True)"]]),
    ],
    "multi_turn_miss_func": [
        dialogue(
            ["Make a directory new.", "Sort notes.txt.", ""],
            [["mkdir(dir_name='new')"], [], ["sort('notes.txt')"]],
            missed_function={"2": ["sort"]},
        )
    ],
    "multi_turn_miss_param": [dialogue(["Make a directory.", "Call it new."], [[], ["mkdir(dir_name='new')"]])],
    "multi_turn_long_context": [dialogue(["Show notes.txt."], [["cat('notes.txt')"]])],
}
LONGER = {
    **{name: kind() for name, kind in EXTENSIONS.items()},
    "FILE_CONTENT_EXTENSION": " and so on",
    "FILES_TAIL_USED": ["log.txt"],
    "POPULATE_FILE_EXTENSION": ["p1.jpg", "p2.jpg"],
}
LONG_CONTEXT = "".join(f"{name} = {value!r}\n" for name, value in LONGER.items())


def write(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def bfcl_folder(folder: Path) -> Path:
    """Write every category that there are rows for."""
    for category, rows in SINGLE.items():
        ids = [f"{category}_{i}" for i in range(len(rows))]
        asked_for = [
            {"id": name, "question": asked(words), "function": functions}
            for name, (words, functions, _) in zip(ids, rows, strict=True)
        ]
        write(folder / f"BFCL_v4_{category}.json", asked_for)
        if CATEGORIES[category].judge == "calls":
            gold = [{"id": name, "ground_truth": row[2]} for name, row in zip(ids, rows, strict=True)]
            write(folder / "possible_answer" / f"BFCL_v4_{category}.json", gold)
    for category, talks in DIALOGUES.items():
        write(
            folder / f"BFCL_v4_{category}.json", [{"id": f"{category}_{i}", **row} for i, (row, _) in enumerate(talks)]
        )
        gold = [{"id": f"{category}_{i}", "ground_truth": turns} for i, (_, turns) in enumerate(talks)]
        write(folder / "possible_answer" / f"BFCL_v4_{category}.json", gold)
    for service, name in SERVICE_FILES.items():
        described = {"GorillaFileSystem": FILES, "MathAPI": MATHS}.get(service, [function("nothing", {}, [])])
        write(folder / "multi_turn_func_doc" / name, described)
    (folder / "long_context.txt").write_text(LONG_CONTEXT, encoding="utf-8")
    return folder
