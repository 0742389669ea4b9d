"""The house rules, read from the source: who imports whom, what is never called, how large a file may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

import acgym
from tests.helpers.rooms import ROOMS, Room, room_of

ROOT = Path(__file__).resolve().parent.parent
LEAVES = ("acgym.envs", "acgym.agents", "acgym.compress")
"""Packages whose folders lie beside ``acgym/``."""
MODEL = ("torch", "transformers", "tokenizers", "safetensors")
NEVER = {
    **dict.fromkeys(["acgym.envs"], MODEL),
    **dict.fromkeys(["acgym.report", "acgym.export"], ("torch", "transformers", "tokenizers")),
    **dict.fromkeys(["acgym.scorers", "acgym.metrics", "acgym.statistics"], ("gymnasium", *MODEL)),
    "acgym.analysis": ("gymnasium", "torch", "transformers", "tokenizers"),
}
"""Packages of others that a room must not reach, itself or through what it imports."""

RUNS_CODE = {"eval", "exec", "compile", "__import__", "breakpoint"}
RUNS_CODE_MODULES = (
    *("pickle", "_pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"),
    *("subprocess", "pty", "code", "runpy"),
)
RUNS_CODE_CALLS = (
    "os.system",
    "os.popen",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os.fork",
    "os.startfile",
    "asyncio.create_subprocess",
)
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60


def modules() -> dict[str, Path]:
    """Every module of the packages by its dotted name; ``acgym`` itself is not among them, it only joins them."""
    found = {}
    for folder, package in (("acgym", "acgym"), *((room.split(".")[1], room) for room in LEAVES)):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            found[name] = path
    del found["acgym"]
    return found


def imports(source: str, module: str, is_package: bool = False) -> set[str]:
    """Dotted names that ``source`` imports anywhere, also in functions, by a literal, or as ``acgym.name``."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    found: set[str] = set()
    tree = ast.parse(source)
    called = _aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.update({base} | {f"{base}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Call) and _full(node.func, called).split(".")[-1] == "import_module":
            given = [*node.args, *(word.value for word in node.keywords)]
            names = [arg.value for arg in given if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            base = names[1] if len(names) > 1 and names[0].startswith(".") else ""
            found.update(f"{base}{name}" for name in names)
        elif isinstance(node, ast.Attribute) and _full(node, called).startswith("acgym."):
            found.add(_full(node, called))
    lazy = {f"acgym.{name}": home for name, home in acgym._OBJECTS.items()}
    return {lazy.get(name, name) for name in found}


def _aliases(tree: ast.AST) -> dict[str, str]:
    """Names that an import gives to what it imports: ``import torch as t`` makes ``t`` stand for ``torch``."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def _full(node: ast.AST, aliases: dict[str, str]) -> str:
    """``dotted``, with what its first name stands for."""
    first, dot, rest = dotted(node).partition(".")
    return f"{aliases.get(first, first)}{dot}{rest}"


def dotted(node: ast.AST) -> str:
    """``a.b.c`` as text, or an empty text for anything that is not a chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


GRAPH = {name: imports(path.read_text("utf-8"), name, path.name == "__init__.py") for name, path in modules().items()}


def chains(module: str, graph: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Every name that ``module`` reaches, as the shortest chain of imports that leads there."""
    queue, seen = [(module,)], {module}
    for chain in queue:
        for name in sorted(graph[chain[-1]]):
            home = next((m for m in (name, name.rpartition(".")[0]) if m in graph), None)
            if (home or name) not in seen:
                seen.add(home or name)
                yield (*chain, home or name)
                if home:
                    queue.append((*chain, home))


def home(name: str, graph: dict[str, set[str]]) -> str | None:
    """The module of ours that an imported name is, or lies in."""
    return next((m for m in (name, name.rpartition(".")[0]) if m in graph), None)


def layer_faults(module: str, graph: dict[str, set[str]]) -> list[str]:
    """What is wrong with the imports of ``module``, one sentence each."""
    faults = []
    room = room_of(module)
    allowed = {room, "acgym.types", *ROOMS[room].may_import}
    door = module if module in LEAVES else "no door"  # offers what lies behind it
    for name in sorted(graph[module]):
        if name.split(".")[0] in ("envs", "agents", "compress"):
            faults.append(f"{module} imports {name}; write acgym.{name}")
        other = home(name, graph)
        if other and room_of(other) not in allowed and other not in allowed and not inside(other, door):
            faults.append(f"{module} imports {other}, but {room} may import {', '.join(sorted(allowed))} only")
    for owner, never in NEVER.items():
        if inside(module, owner):
            for chain in chains(module, graph):
                if any(inside(chain[-1], name) for name in never):
                    faults.append(f"{owner} must not reach {chain[-1]}: {' -> '.join(chain)}")
    return faults


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that reach one another (strongly connected components of two or more), by networkx."""
    arrows = networkx.DiGraph([(a, b) for a, others in graph.items() for b in others if a != b])
    return sorted(sorted(group) for group in networkx.strongly_connected_components(arrows) if len(group) > 1)


def of_files(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The graph with imports of ours only; ``from package import module`` imports the module and not the door."""
    found = {}
    for module, names in graph.items():
        homes = {name: home(name, graph) for name in names}
        doors = {
            m for m in homes.values() for name, of in homes.items() if m and of not in (m, None) and inside(name, m)
        }
        found[module] = {m for m in homes.values() if m and m != module} - doors
    return found


def of_rooms(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Imports between folders; each flat file of a top-level folder is a node of its own."""
    tops = {"acgym", *LEAVES}

    def node(module: str) -> str:
        package = module if modules_are_packages.get(module) else module.rpartition(".")[0]
        return module if package in tops else package

    modules_are_packages = {name: path.name == "__init__.py" for name, path in modules().items()}
    rooms: dict[str, set[str]] = {}
    for module, others in of_files(graph).items():
        rooms.setdefault(node(module), set()).update(node(other) for other in others)
    return rooms


def danger_faults(source: str) -> list[str]:
    """Ways to run text as a program or to load a pickle, one sentence each."""
    faults = []
    for name in imports(source, "acgym.here"):
        if any(inside(name, bad) for bad in RUNS_CODE_MODULES) or name.startswith(RUNS_CODE_CALLS):
            faults.append(f"imports {name}")
    tree = ast.parse(source)
    aliases = _aliases(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = _full(node.func, aliases).removeprefix("builtins.")
        words = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called in RUNS_CODE or called.startswith(RUNS_CODE_CALLS) or words.get("shell", "False") != "False":
            faults.append(f"line {node.lineno} calls {called}")
        if called.endswith(".read_pickle"):
            faults.append(f"line {node.lineno} reads a pickle")
        if called == "torch.load" and words.get("weights_only") != "True":
            faults.append(f"line {node.lineno} calls torch.load without weights_only=True")
        if words.get("allow_pickle", "False") != "False" or words.get("trust_remote_code", "False") != "False":
            faults.append(f"line {node.lineno} lets {called} run code from a file")
    return faults


def size_faults(source: str) -> list[str]:
    """Files and functions that do not fit a reader, one sentence each."""
    lines = len(source.splitlines())
    faults = [f"{lines} lines, at most {MAX_FILE_LINES}"] if lines > MAX_FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                faults.append(f"{node.name} has {length} lines, at most {MAX_FUNCTION_LINES}")
    return faults


def docstring_faults(source: str) -> list[str]:
    """The module and its public classes, functions and methods that have no docstring."""

    def visit(body: list[ast.stmt], prefix: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                stub = any(dotted(mark).split(".")[-1] == "overload" for mark in node.decorator_list)
                if ast.get_docstring(node) is None and not stub:
                    yield f"{prefix}{node.name} has no docstring"
                if isinstance(node, ast.ClassDef):
                    yield from visit(node.body, f"{prefix}{node.name}.")

    tree = ast.parse(source)
    return ([] if ast.get_docstring(tree) else ["the module has no docstring"]) + list(visit(tree.body, ""))


def test_no_test_imports_another_test():
    """What two tests share lies in tests/helpers."""
    faults = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for name in imports(path.read_text("utf-8"), "tests.here")
        if any(part.startswith("test_") for part in name.split(".")[:-1])
    ]
    assert faults == []


@pytest.mark.parametrize("module", GRAPH)
def test_module_imports_only_what_its_layer_may(module):
    assert layer_faults(module, GRAPH) == []


@pytest.mark.parametrize("module", GRAPH)
@pytest.mark.parametrize("faults", [danger_faults, size_faults, docstring_faults])
def test_module_keeps_the_rule(module, faults):
    assert faults(modules()[module].read_text("utf-8")) == []


def test_every_room_is_read():
    for room in ROOMS:
        assert room == "acgym" or room in GRAPH, f"{room} has a row and no code"
    assert {"acgym.types", "acgym.env", "acgym.envs.names", "acgym.agents.base"} <= set(GRAPH)
    assert "acgym.types" in GRAPH["acgym.env"]


def test_no_circle_of_files():
    assert circles(of_files(GRAPH)) == []


def test_no_circle_of_rooms():
    assert circles(of_rooms(GRAPH)) == []


def of_table(rooms: dict[str, Room]) -> dict[str, set[str]]:
    """What the table itself allows, from room to room."""
    return {room: set(row.may_import) for room, row in rooms.items()}


def test_the_table_allows_no_circle_of_rooms():
    assert circles(of_table(ROOMS)) == []


def test_the_rule_of_the_table_sees_a_planted_circle():
    statistics = ROOMS["acgym.statistics"]
    planted = {**ROOMS, "acgym.statistics": statistics._replace(may_import=(*statistics.may_import, "acgym.report"))}
    assert circles(of_table(planted)) == [["acgym.analysis", "acgym.report", "acgym.statistics"]]


def test_the_table_has_no_arrow_that_nobody_uses():
    """A permission that nobody needs is a door left open."""
    used = {
        room: {room_of(other) for m, others in of_files(GRAPH).items() if room_of(m) == room for other in others}
        for room in ROOMS
    }
    unused = {room: set(row.may_import) - used[room] for room, row in ROOMS.items()}
    kept = {"acgym.envs.tools": {"acgym.scorers"}, "acgym.envs.context": {"acgym.scorers"}}
    kept["acgym.envs.world"] = {"acgym.scorers"}  # environments judge by scorers when they need them
    assert {room: found for room, names in unused.items() if (found := names - kept.get(room, set()) - {"acgym"})} == {}


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("acgym.envs.x", "from acgym.agents.base import Agent", "acgym.envs.x imports acgym.agents.base, but"),
        ("acgym.envs.x", "from acgym import play", "acgym.envs.x imports acgym.loop, but"),
        ("acgym.envs.x", "import acgym\nacgym.probe.run()", "acgym.envs.x imports acgym.probe.run, but"),
        ("acgym.envs.x", "def f():\n    import torch.nn", "acgym.envs must not reach torch.nn"),
        ("acgym.envs.x", "from ..analysis import score", "acgym.envs.x imports acgym.analysis.score, but"),
        ("acgym.envs.tools.x", "from acgym.envs.world.household import env", "imports acgym.envs.world.household.env"),
        ("acgym.agents.x", "from acgym import envs", "acgym.agents.x imports acgym.envs, but"),
        (
            "acgym.agents.x",
            "import importlib\nimportlib.import_module('acgym.compress.plan')",
            "imports acgym.compress",
        ),
        ("acgym.agents.x", "if TYPE_CHECKING:\n    import acgym.compress.plan", "imports acgym.compress.plan"),
        ("acgym.agents.x", "import agents.base", "write acgym.agents.base"),
        ("acgym.envs.x", "import acgym as a\na.agents.local.load()", "imports acgym.agents.local"),
        (
            "acgym.envs.x",
            "from importlib import import_module as i\ni('acgym.agents.base')",
            "imports acgym.agents.base",
        ),
        ("acgym.envs.x", "import importlib\nimportlib.import_module(name='acgym.agents.base')", "acgym.agents.base"),
        ("acgym.envs.x", "import importlib\nimportlib.import_module('.agents.base', 'acgym')", "acgym.agents.base"),
        ("acgym.compress.x", "from acgym.train.data import f", "acgym.compress.x imports acgym.train.data"),
        ("acgym.analysis.x", "import gymnasium", "acgym.analysis must not reach gymnasium"),
        ("acgym.analysis.x", "from acgym.env import TextEnv", "acgym.analysis must not reach gymnasium"),
        ("acgym.metrics.x", "import torch", "acgym.metrics must not reach torch"),
        ("acgym.cli.x", "from acgym.agents.local import load", "acgym.cli.x imports acgym.agents.local"),
        ("acgym.new_flat_file", "from acgym.record import Run", "acgym.new_flat_file imports acgym.record"),
    ],
)
def test_layer_rule_sees_a_breach(module, source, fault):
    graph = {**GRAPH, module: imports(source, module)}
    assert any(fault in found for found in layer_faults(module, graph))


def test_layer_rule_lets_the_table_pass():
    graph = {**GRAPH, "acgym.cli.x": imports("from acgym import assemble, compare, loop", "acgym.cli.x")}
    assert layer_faults("acgym.cli.x", graph) == []


def test_circle_rule_sees_a_planted_circle():
    graph = {**GRAPH, "acgym.statistics.x": {"acgym.analysis.score"}, "acgym.analysis.score": {"acgym.statistics.x"}}
    assert ["acgym.analysis.score", "acgym.statistics.x"] in circles(of_files(graph))
    assert any(
        "acgym.statistics" in group and "acgym.analysis" in group
        for group in circles(of_rooms({**graph, "acgym.statistics.paired": {"acgym.analysis.score"}}))
    )


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "exec(text)",
        "import pickle",
        "from subprocess import run",
        "import os\nos.system(text)",
        "from os import popen",
        "run(text, shell=True)",
        "import builtins\nbuiltins.eval(text)",
        "from builtins import eval as run\nrun(text)",
        "import runpy",
        "import _pickle",
        "import asyncio\nasyncio.create_subprocess_shell(text)",
        "from torch import load\nload(path)",
        "import torch as t\nt.load(path)",
        "from os import system as s\ns(text)",
        "import pandas as pd\npd.read_pickle(path)",
        "torch.load(path)",
        "np.load(path, allow_pickle=True)",
        "AutoModel.from_pretrained(path, trust_remote_code=True)",
    ],
)
def test_danger_rule_sees_a_breach(source):
    assert danger_faults(source)


def test_danger_rule_lets_innocents_pass():
    assert (
        danger_faults("model.eval()\nre.compile(x)\ntorch.load(p, weights_only=True)\nf(trust_remote_code=False)") == []
    )


def test_size_rule_sees_a_breach():
    assert size_faults("x = 1\n" * 301) == ["301 lines, at most 300"]
    assert size_faults("async def f():\n" + "    pass\n" * 60) == ["f has 61 lines, at most 60"]
    assert size_faults("x = 1\n" * 240 + "def f():\n" + "    pass\n" * 59) == []


def test_docstring_rule_sees_a_breach():
    source = "class A:\n    def f(self): pass\n    def _g(self): pass\ndef h(): pass"
    missing = ["the module", "A", "A.f", "h"]
    assert docstring_faults(source) == [f"{name} has no docstring" for name in missing]
    assert docstring_faults('"""M."""\nclass A:\n    """A."""\n') == []
