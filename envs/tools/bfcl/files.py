"""The leaderboard's files: which there are, how questions and answers are joined, what makes a row malformed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from acgym.rows import Row, read_rows
from acgym.scorers.bfcl import TYPES, Kind, Language
from acgym.types import Json

Judge: TypeAlias = Literal["calls", "no_call", "any_call", "state"]
"""What is judged: the calls of one reply, that there is none, that there is one, or a dialogue's state."""


@dataclass(frozen=True, slots=True)
class Category:
    """One file of questions."""

    name: str
    judge: Judge
    kind: Kind = "single"
    language: Language = "python"


CATEGORIES: dict[str, Category] = {
    row.name: row
    for row in (
        Category("simple_python", "calls"),
        Category("simple_java", "calls", language="java"),
        Category("simple_javascript", "calls", language="javascript"),
        Category("multiple", "calls", "multiple"),
        Category("parallel", "calls", "parallel"),
        Category("parallel_multiple", "calls", "parallel"),
        Category("irrelevance", "no_call"),
        Category("live_simple", "calls"),
        Category("live_multiple", "calls", "multiple"),
        Category("live_parallel", "calls", "parallel"),
        Category("live_parallel_multiple", "calls", "parallel"),
        Category("live_irrelevance", "no_call"),
        Category("live_relevance", "any_call"),
        Category("multi_turn_base", "state"),
        Category("multi_turn_miss_func", "state"),
        Category("multi_turn_miss_param", "state"),
        Category("multi_turn_long_context", "state"),
    )
}
"""Categories that can be played, by the names of the v4 files."""
NOT_PLAYABLE = {
    "web_search": "it asks for today's web: its answers need a network",
    "memory": "its answers are remembered, by key or otherwise, from dialogues that the model under test must have had "
    "itself before, each a conversation of its own; an episode is one conversation, in which they would still stand",
    "format_sensitivity": "it repeats rows of other categories under other prompts",
}
"""Files that are not played, and why."""

SERVICE_FILES = {
    "GorillaFileSystem": "gorilla_file_system.json",
    "MathAPI": "math_api.json",
    "MessageAPI": "message_api.json",
    "TwitterAPI": "posting_api.json",
    "TicketAPI": "ticket_api.json",
    "TradingBot": "trading_bot.json",
    "TravelAPI": "travel_booking.json",
    "VehicleControlAPI": "vehicle_control.json",
}
"""Name of a service in the data -> the file that describes its functions."""

EXTENSIONS: Mapping[str, type] = {
    **dict.fromkeys(("FILE_CONTENT_EXTENSION", "PARKING_BRAKE_INSTRUCTION", "CAR_STATUS_METADATA_EXTENSION"), str),
    **dict.fromkeys(("FILES_TAIL_USED", "POPULATE_FILE_EXTENSION", "INTERMEDIARY_CITIES"), list),
    **dict.fromkeys(("WATCH_LIST_EXTENSION", "TRANSACTION_HISTORY_EXTENSION", "MA_5_EXTENSION"), list),
    **dict.fromkeys(("MA_20_EXTENSION", "TECHNOLOGY_EXTENSION", "AUTOMOBILE_EXTENSION"), list),
    **dict.fromkeys(("ORDER_DETAIL_EXTENSION", "LONG_WEATHER_EXTENSION"), dict),
    **dict.fromkeys(("CREDIT_CARD_EXTENSION", "BOOKING_RECORD_EXTENSION"), dict),
}
"""Constant that lengthens the long-context category -> its type."""


def category_of(name: str) -> Category:
    """Return a category by name.

    Raises:
        ValueError: for one that is unknown, or that cannot be played, saying why.
    """
    if name in CATEGORIES:
        return CATEGORIES[name]
    if not isinstance(name, str):
        raise ValueError(f"category must be a name, such as 'multi_turn_base', got {name!r}")
    for other, why in NOT_PLAYABLE.items():
        if name.startswith(other):
            raise ValueError(f"the category {name!r} is not playable: {why}")
    near = get_close_matches(str(name), CATEGORIES, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"there is no category {name!r}; {hint}Known: {', '.join(CATEGORIES)}")


def read_category(category: Category, folder: Path) -> tuple[Row, ...]:
    """Return the rows of a category; where answers are judged, each holds its gold answer as ``ground_truth``.

    A dialogue's row holds the descriptions of its services' functions as ``function``, in the services' order.

    Raises:
        FileNotFoundError: if a file is missing.
        BadRow: for a row that is malformed or without gold.
    """
    name = f"BFCL_v4_{category.name}.json"
    rows = read_rows(folder / name)
    if category.judge in ("no_call", "any_call"):
        return rows
    gold = {row.id: row for row in read_rows(folder / "possible_answer" / name)}
    joined = []
    for row in rows:
        if row.id not in gold:
            raise row.bad(f"{gold[next(iter(gold))].file} has no gold answer for it")
        value = {**row.value, "ground_truth": gold[row.id].need("ground_truth", list)}
        if category.judge == "state":
            value["function"] = _service_functions(row, folder)
        joined.append(replace(row, value=value))
    return tuple(joined)


def _service_functions(row: Row, folder: Path) -> list[Json]:
    described: list[Json] = []
    for service in row.need("involved_classes", list):
        if not isinstance(service, str) or service not in SERVICE_FILES:
            raise row.bad(f"it involves the unknown class {service!r}; known: {', '.join(SERVICE_FILES)}")
        path = folder / "multi_turn_func_doc" / SERVICE_FILES[service]
        described += [one.value for one in read_rows(path, id_key="name")]
    return described


def check_single(row: Row, category: Category) -> None:
    """Check the parts of a single-turn row.

    Raises:
        BadRow: naming what is missing or malformed.
    """
    _check_question(row)
    functions = row.need("function", list)
    if not functions and category.judge != "no_call":
        raise row.bad("'function' is empty")
    names = [_check_function(row, one) for one in functions]
    if category.judge != "calls":
        return
    gold = row.value["ground_truth"]
    if not gold:
        raise row.bad("its gold answer is empty")
    by_name = dict(zip(names, functions, strict=True))
    for call in gold:
        if not isinstance(call, dict) or len(call) != 1:
            raise row.bad("a gold call must be an object with one function")
        name, answer = next(iter(call.items()))
        if name not in by_name:
            raise row.bad(f"its gold answer calls {name!r}, which is not among its functions")
        _check_answer(row, category, by_name[name], answer)


def _check_answer(row: Row, category: Category, function: Mapping[str, Json], answer: Json) -> None:
    if not isinstance(answer, dict):
        raise row.bad("the gold parameters must be an object")
    properties = function["parameters"]["properties"]
    for parameter, right in answer.items():
        if not isinstance(right, list):
            raise row.bad(f"the gold values of {parameter!r} must be a list")
        described = properties.get(parameter)
        if described is None:
            continue  # no call can be right with it; the original lets such rows stand
        named, items = described.get("type"), described.get("items")
        types = TYPES[category.language]
        if named not in types:
            raise row.bad(f"the parameter {parameter!r} has the unknown type {named!r}")
        if named in ("array", "tuple", "Array", "ArrayList"):
            inner = items.get("type") if isinstance(items, dict) else None
            if inner not in types:
                raise row.bad(f"the items of {parameter!r} have the unknown type {inner!r}")


def _check_question(row: Row) -> None:
    turns = row.need("question", list)
    if not turns:
        raise row.bad("'question' is empty")
    for turn in turns:
        if not isinstance(turn, list):
            raise row.bad("a turn of 'question' must be a list of messages")
        for message in turn:
            if not isinstance(message, dict) or not isinstance(message.get("content"), str):
                raise row.bad("a message of 'question' must be an object with a text 'content'")


def _check_function(row: Row, function: Json) -> str:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise row.bad("a function must be an object with a text 'name'")
    parameters = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    if not isinstance(parameters, dict) or not isinstance(properties, dict):
        raise row.bad(f"the function {function['name']!r} has no 'parameters' with 'properties'")
    for name, described in properties.items():
        if not isinstance(described, dict) or not isinstance(described.get("type"), str):
            raise row.bad(f"the parameter {name!r} of {function['name']!r} must be an object with a text 'type'")
    required = parameters.get("required")
    if required is not None and not (isinstance(required, list) and all(isinstance(one, str) for one in required)):
        raise row.bad(f"'required' of the function {function['name']!r} must be a list of names")
    return str(function["name"])


def check_dialogue(row: Row) -> None:
    """Check the parts of a multi-turn row.

    Raises:
        BadRow: naming what is missing or malformed.
    """
    _check_question(row)
    row.need("initial_config", dict)
    for function in row.value["function"]:
        _check_function(row, function)
    gold, turns = row.value["ground_truth"], row.value["question"]
    if len(gold) != len(turns):
        raise row.bad(f"it has {len(turns)} turns and its gold answer {len(gold)}")
    for calls in gold:
        if not isinstance(calls, list) or not all(isinstance(call, str) for call in calls):
            raise row.bad("a turn of the gold answer must be a list of calls as text")
    if not any(gold):
        raise row.bad("its gold answer calls nothing in any turn")
    missed = row.value.get("missed_function", {})
    names = {function["name"] for function in row.value["function"]}
    lists = missed.values() if isinstance(missed, dict) else [None]
    if not all(isinstance(held, list) and all(isinstance(name, str) for name in held) for held in lists):
        raise row.bad("'missed_function' must map a turn to a list of functions")
    for turn, held in missed.items():
        if not turn.isdecimal() or int(turn) >= len(turns) or not set(held) <= names:
            raise row.bad(f"'missed_function' names the turn {turn!r} and {held!r}, which are not in the row")


def read_extension(folder: Path) -> Mapping[str, Json]:
    """Return the constants that lengthen the long-context category, by name; empty if the folder has none.

    The file is Python source of assignments of literals; it is read as literals and never run.

    Raises:
        ValueError: if it holds anything else, or one of ``EXTENSIONS`` is missing.
    """
    for name in ("long_context.txt", "long_context.py"):
        path = folder / name
        if path.is_file():
            return _literals(path, path.stat().st_mtime_ns)
    return {}


@lru_cache(maxsize=2)
def _literals(path: Path, changed: int) -> Mapping[str, Json]:
    """Read a file in the state of ``changed``."""
    try:
        body = ast.parse(path.read_text("utf-8")).body
        pairs = [(node.targets[0], ast.literal_eval(node.value)) for node in body if isinstance(node, ast.Assign)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = str(error).partition(": <")[0]  # what follows is an address in memory
        raise ValueError(f"{path} is no list of constants, written as literals: {why}") from None
    found = {target.id: value for target, value in pairs if isinstance(target, ast.Name)}
    for name, kind in EXTENSIONS.items():
        if not isinstance(found.get(name), kind):
            raise ValueError(f"{path} must hold the constant {name}, a {kind.__name__}")
    return found
