"""Tool calls against a gold answer by the rules of the Berkeley Function-Calling Leaderboard ("AST evaluation").

A gold call names a function and, for each parameter, the list of values that are right; an empty text in the list says
that the parameter may be left out. Rules as the leaderboard documents them (gorilla.cs.berkeley.edu, blog 8) and as its
checker of v4 behaves; :mod:`acgym.scorers.code_literals` reads what Java and JavaScript calls carry as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from acgym.scorers.code_literals import read_java, read_javascript
from acgym.tool_calls import parse_reply, read_calls
from acgym.types import Call, Json

Language: TypeAlias = Literal["python", "java", "javascript"]
Kind: TypeAlias = Literal["single", "multiple", "parallel"]
"""``single``: one function, one call; ``multiple``: several functions, one call; ``parallel``: several calls."""

_PYTHON = {
    **{"string": str, "integer": int, "float": float, "boolean": bool},
    **{"array": list, "tuple": list, "dict": dict, "any": str},
}
_JAVA = {
    **{"byte": int, "short": int, "integer": int, "long": int, "float": float, "double": float, "boolean": bool},
    **{"char": str, "String": str, "any": str, "Array": list, "ArrayList": list, "Queue": list, "Stack": list},
    **{"HashMap": dict, "Hashtable": dict, "Set": set},
}
_JAVASCRIPT = {
    **{"String": str, "integer": int, "float": float, "Bigint": int, "Boolean": bool, "any": str},
    **{"dict": dict, "array": list},
}
TYPES: Mapping[Language, Mapping[str, type]] = {"python": _PYTHON, "java": _JAVA, "javascript": _JAVASCRIPT}
"""Language -> name of a type in a function's description -> Python type of its values."""
_WITH_ITEMS: Mapping[Language, tuple[str, ...]] = {
    "python": ("array", "tuple"),
    "java": ("Array", "ArrayList"),
    "javascript": ("array",),
}
_DROPPED = str.maketrans("'", '"', " ,./-_*^")


class Mismatch(NamedTuple):
    """Why calls are wrong."""

    kind: str
    """``wrong_count``, ``wrong_function``, ``missing_parameter``, ``unexpected_parameter``, ``wrong_type`` or
    ``wrong_value``."""
    detail: str
    """What it is about, in a few words."""


def ast_match(
    predicted: str | Sequence[Call],
    gold: Sequence[Mapping[str, Mapping[str, list[Json]]]],
    functions: Sequence[Mapping[str, Json]],
    *,
    kind: Kind = "multiple",
    language: Language = "python",
) -> float:
    """Score the calls of one reply: 1.0 if they match a gold answer by the leaderboard's rules, else 0.0.

    Args:
        predicted: what a model said, as canonical call JSON or in the Hermes syntax; or the calls themselves, in order.
        gold: one ``{function: {parameter: [right values]}}`` for each expected call; an empty text among the values
            says that the parameter may be left out.
        functions: descriptions as the leaderboard's data give them.
        kind: ``"single"``, ``"multiple"`` or ``"parallel"`` (calls in any order); see :func:`match`.
        language: whose types the parameters have.

    Raises:
        ValueError: if ``kind`` or ``language`` is unknown. Nothing that a model says raises.
    """
    if kind not in get_args(Kind) or language not in TYPES:
        raise ValueError(
            f"kind must be one of {', '.join(get_args(Kind))} and language one of {', '.join(TYPES)}, "
            f"got {kind!r} and {language!r}"
        )
    calls = (read_calls(predicted) or parse_reply(predicted)[1]) if isinstance(predicted, str) else predicted
    return float(match(calls, functions, gold, kind, language) is None)


def match(
    calls: Sequence[Call],
    functions: Sequence[Mapping[str, Json]],
    gold: Sequence[Mapping[str, Mapping[str, list[Json]]]],
    kind: Kind,
    language: Language = "python",
) -> Mismatch | None:
    """Compare the calls of one reply with a gold answer.

    Args:
        calls: what the model called, in order.
        functions: descriptions as the data gives them: ``name`` and ``parameters`` (``properties``, ``required``) with
            the data's own type names.
        gold: one ``{function: {parameter: [right values]}}`` for each expected call.
        kind: how many calls are expected, and from what; parallel calls may come in any order, and each gold call
            takes the first unused call that fits it.
        language: whose types the parameters have; Java's and JavaScript's values are texts of source code.

    Returns:
        None if they match. Never raises for any ``calls``.
    """
    if len(calls) != len(gold) or (kind == "single" and len(calls) != 1):
        return Mismatch("wrong_count", f"{len(calls)} calls, {len(gold)} expected")
    if kind != "parallel":
        name = functions[0]["name"] if kind == "single" else next(iter(gold[0]))
        return match_call(calls[0], _described(functions, name), next(iter(gold[0].values())), language)
    left = list(calls)
    for expected in gold:
        name, answer = next(iter(expected.items()))
        described = _described(functions, name)
        faults = [match_call(call, described, answer, language) for call in left]
        if None not in faults:
            return _nearest(faults)
        del left[faults.index(None)]
    return None


def _nearest(faults: Sequence[Mismatch | None]) -> Mismatch | None:
    """Return the fault of the call that came nearest: one of the right function, if there is any."""
    of_function = [fault for fault in faults if fault is not None and fault.kind != "wrong_function"]
    return of_function[0] if of_function else faults[0]


def _described(functions: Sequence[Mapping[str, Json]], name: str) -> Mapping[str, Json]:
    return next(function for function in functions if function["name"] == name)


def match_call(
    call: Call, function: Mapping[str, Json], answer: Mapping[str, list[Json]], language: Language = "python"
) -> Mismatch | None:
    """Compare one call with the gold answer of one function; see :func:`match`.

    The function's name may be written with underscores for its dots: some servers allow no dot in a tool's name.
    """
    if call.name not in (function["name"], function["name"].replace(".", "_")):
        return Mismatch("wrong_function", call.name)
    properties = function["parameters"]["properties"]
    for name in function["parameters"].get("required", ()):
        if name not in call.arguments:
            return Mismatch("missing_parameter", name)
    for name, value in call.arguments.items():
        if name not in properties or name not in answer:
            return Mismatch("unexpected_parameter", name)
        fault = match_value(value, properties[name], answer[name], language)
        if fault is not None:
            return Mismatch(fault, name)
    for name, right in answer.items():
        if name not in call.arguments and "" not in right:
            return Mismatch("missing_parameter", name)
    return None


def match_value(value: Json, described: Mapping[str, Json], right: list[Json], language: Language) -> str | None:
    """Compare one value with the right ones.

    Args:
        value: what the model gave; a text of source code for Java and JavaScript.
        described: the parameter's description: ``type``, and for lists ``items``.
        right: the right values; those of an object are ``{key: [right values]}``.
        language: whose types ``described`` names.

    Returns:
        None, ``"wrong_type"`` or ``"wrong_value"``.
    """
    named: str = described["type"]
    expected = TYPES[language][named]
    inner: str | None = described["items"]["type"] if named in _WITH_ITEMS[language] else None
    if language != "python":
        if not isinstance(value, str):
            return "wrong_type"
        value = (read_java if language == "java" else read_javascript)(value, named, inner)
    elif named == "float" and type(value) is int:
        value = float(value) if abs(value) < 1 << 1000 else value
    items = None if inner is None else TYPES[language][inner]
    if not _fits(value, right, expected, items):
        return "wrong_type"
    variable = _gold_type(right) not in (None, expected)
    return None if _equal(value, right, expected, items, variable) else "wrong_value"


def _gold_type(right: Sequence[Json]) -> type | None:
    """Return the type of the first right value; None if there is only the empty text."""
    return next((type(value) for value in right if value != ""), None)


def _fits(value: Json, right: Sequence[Json], expected: type, items: type | None) -> bool:
    """Say whether a value is of the expected type, its items too, or of the type of the right values.

    The latter lets the name of a variable stand for a value. True is no integer.
    """
    if type(value) is not expected:
        return type(value) is _gold_type(right)
    if items is None or not isinstance(value, list):
        return items is None
    return any(
        not isinstance(one, list) or all(type(item) in (items, _gold_type(one)) for item in value) for one in right
    )


def _equal(value: Json, right: Sequence[Json], expected: type, items: type | None, variable: bool) -> bool:
    """Say whether a value of the right type is one of the right values."""
    if variable:
        return value in right
    if expected is dict:
        return any(_same_object(value, one) for one in right)
    if expected is list and items is dict:
        return any(
            len(value) == len(one) and all(_same_object(a, b) for a, b in zip(value, one, strict=True))
            for one in right
            if isinstance(one, list | str)
        )
    if expected is list:
        plain = [_plain(item) for item in value]
        return any(plain == [_plain(item) for item in one] for one in right if isinstance(one, list | str))
    if expected is str:
        return _plain(value) in [_plain(one) for one in right if isinstance(one, str)]
    return value in right


def _same_object(value: Json, right: Json) -> bool:
    """Compare one level of an object; each key of ``right`` holds its right values."""
    if not isinstance(value, dict) or not isinstance(right, dict):
        return False
    for key, held in value.items():
        if key not in right or _plain(held) not in [_plain(one) for one in right[key]]:
            return False
    return all(key in value or "" in right[key] for key in right)


def _plain(value: Any) -> Any:
    """Return a text in lower case without spaces and ``,./-_*^`` and with double quotes only; others as they are."""
    return value.translate(_DROPPED).lower() if isinstance(value, str) else value
