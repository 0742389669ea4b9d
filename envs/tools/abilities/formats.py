"""Stated forms of a call: drawn, told in words or by an example, written, and read strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from acgym.draw import Draw
from acgym.envs.tools.abilities.replies import as_json
from acgym.scorers.literals import MISSING, read_value, same
from acgym.types import Call, Json

THOUGHT_KEYS = ("thought", "reasoning", "why", "rationale", "because", "note", "reflection", "idea")
ACTION_KEYS = ("action", "function", "tool", "call", "operation", "do", "method", "api")
ARGS_KEYS = ("args", "arguments", "parameters", "input", "with", "values", "inputs", "payload")
PAIR_KEYS = (("name", "value"), ("key", "val"), ("field", "content"), ("parameter", "setting"))
EXTRAS: tuple[tuple[str, Json], ...] = (
    ("version", 2), ("lang", "en"), ("final", False), ("schema", "v1"), ("retries", 0), ("source", "user"),
)  # fmt: skip
STYLES = ("object", "pairs", "text")
MARKS = (
    ("<{}>", "</{}>"),
    ("[{}]", "[/{}]"),
    ("#{}:", "#end {}"),
    ("<<{}", "{}>>"),
    ("BEGIN {}", "END {}"),
    ("{{{{{}}}}}", "{{{{/{}}}}}"),
    ("--{}--", "--end of {}--"),
    ("@{}(", ")@{}"),
)
LINES = ("json", "lines", "semicolons")
_SAY_STYLE = {
    "object": (
        "{args} holds an object, from each argument's name to its value",
        "under {args} stands an object with one key per argument",
        "the arguments go under {args}, as an object",
    ),
    "pairs": (
        "{args} holds a list with one object per argument, with its name under {one} and its value under {two}",
        "under {args} stands a list; each argument is an object in it, with its name as {one} and its value as {two}",
        "the arguments go under {args} as a list of objects with the keys {one} (the name) and {two} (the value)",
    ),
    "text": (
        "{args} holds a text, which is the JSON object of the arguments written out",
        "under {args} stands not an object but a string: the arguments as JSON text, with its quotes escaped",
        "the arguments go under {args} as one string that is itself a JSON object",
    ),
}
_SAY_KEYS = (
    "Write {what} with the keys {keys}, and no other keys.",
    "The reply is {what} with these keys in any order, others not being allowed: {keys}.",
    "Answer with {what} with exactly these keys: {keys}.",
    "Give {what} with the keys {keys} and nothing else.",
)
_SAY_PARTS = (
    "{thought} is one short sentence of yours on what the call is for, {action} the function's name, and {style}.",
    "Under {action} stands the name of the function, under {thought} a short sentence that says why; {style}.",
    "A short sentence on the purpose goes under {thought}, the function's name under {action}; {style}.",
)
_SAY_BARE = (
    "No words before or after it.",
    "Nothing else belongs in the reply.",
    "Say nothing besides.",
    "The reply holds that and no more.",
)
_SAY_EXTRA = (
    "{key} is always {value}.",
    "Set {key} to {value}.",
    "The value of {key} is {value} in every call.",
)
_SAY_LINES = {
    "json": ("the arguments as one JSON object", "a JSON object of the arguments"),
    "lines": (
        "the arguments, one on a line, each as its name, an equals sign and its value as JSON",
        "a line for each argument: name=value, where the value is JSON",
    ),
    "semicolons": (
        "the arguments as name=value with semicolons between them, where each value is JSON",
        "all arguments on one line, name=value; name=value, with values in JSON",
    ),
}
_SAY_MARKS = (
    "Write three parts one after another. First a short sentence on what the call is for, between {t0} and {t1}; then "
    "the function's name between {a0} and {a1}; last, between {g0} and {g1}, {style}.",
    "The reply has three marked parts: {t0} opens and {t1} closes a short sentence about the purpose, {a0} and {a1} "
    "enclose the name of the function, {g0} and {g1} enclose {style}.",
    "Put a short sentence that says why after {t0} and end it with {t1}. Follow it with the function's name, which "
    "{a0} opens and {a1} ends. Then, opened by {g0} and ended by {g1}, {style}.",
)


def draw_format(draw: Draw, form: str, level: int) -> dict[str, Json]:
    """Draw a format: keys and styles for ``"json"``, marks and styles for ``"string"``."""
    names = [draw.pick(THOUGHT_KEYS), draw.pick(ACTION_KEYS), draw.pick(ARGS_KEYS)]
    if form == "json":
        style = "object" if level == 1 else draw.pick(STYLES)
        extra = draw.pick(EXTRAS) if level > 2 and draw.chance(0.7) else None
        return {
            "keys": names,
            "style": style,
            "pair": list(draw.pick(PAIR_KEYS)),
            "extra": None if extra is None else list(extra),
        }
    opening, closing = draw.pick(MARKS)
    if draw.chance(0.5):
        names = [name.upper() for name in names]
    marks = [mark.format(name) for name in names for mark in (opening, closing)]
    return {"marks": marks, "style": "json" if level == 1 else draw.pick(LINES)}


def tell_format(draw: Draw, form: str, row: Mapping[str, Any], count: int, example: bool) -> str:
    """Say a format: by an example with placeholders, or in sentences alone."""
    if example:
        call = Call("function_name", {"some_argument": 1, "another": "text"})
        shown = write_calls(form, row, [call] * min(count, 1), "a short sentence")
        return f"Reply exactly in this form, with no words before or after it:\n{shown}"
    if form == "json":
        said = _tell_json(draw, row, count)
    else:
        marks = {f"{part}{i}": row["marks"][2 * k + i] for k, part in enumerate("tag") for i in (0, 1)}
        said = draw.pick(_SAY_MARKS).format(**marks, style=draw.pick(_SAY_LINES[row["style"]]))
        if count > 1:
            said += f" Do so for each of the {count} calls, in the order in which they are listed."
    return f"{said} {draw.pick(_SAY_BARE)}"


def _tell_json(draw: Draw, row: Mapping[str, Any], count: int) -> str:
    quoted = {name: f'"{key}"' for name, key in zip(("thought", "action", "args"), row["keys"], strict=True)}
    one, two = (f'"{key}"' for key in row["pair"])
    style = draw.pick(_SAY_STYLE[row["style"]]).format(args=quoted["args"], one=one, two=two)
    extra = row["extra"]
    what = "one JSON object" if count == 1 else f"a JSON list of {count} objects (one for each call in its order), each"
    keys = draw.shuffled([*quoted.values(), *([f'"{extra[0]}"'] if extra else [])])
    said = [draw.pick(_SAY_KEYS).format(what=what, keys=", ".join(keys))]
    said.append(draw.pick(_SAY_PARTS).format(style=style, **quoted))
    said[-1] = said[-1][0].upper() + said[-1][1:]
    if extra:
        said.append(draw.pick(_SAY_EXTRA).format(key=f'"{extra[0]}"', value=json.dumps(extra[1])))
    return " ".join(said)


def write_calls(form: str, row: Mapping[str, Any], calls: Sequence[Call], thought: str) -> str:
    """Write calls in a format."""
    if form == "json":
        made = [_json_row(row, call, thought) for call in calls]
        return as_json(made[0] if len(made) == 1 else made)
    t0, t1, a0, a1, g0, g1 = row["marks"]
    blocks = [f"{t0}{thought}{t1}\n{a0}{call.name}{a1}\n{g0}{_lines(row['style'], call)}{g1}" for call in calls]
    return "\n".join(blocks)


def _json_row(row: Mapping[str, Any], call: Call, thought: str) -> dict[str, Json]:
    args: Json = dict(call.arguments)
    if row["style"] == "text":
        args = as_json(args)
    elif row["style"] == "pairs":
        one, two = row["pair"]
        args = [{one: name, two: value} for name, value in call.arguments.items()]
    first, second, third = row["keys"]
    extra = {row["extra"][0]: row["extra"][1]} if row["extra"] else {}
    return {first: thought, second: call.name, third: args, **extra}


def _lines(style: str, call: Call) -> str:
    if style == "json":
        return as_json(dict(call.arguments))
    rows = [f"{name}={as_json(value)}" for name, value in call.arguments.items()]
    return "\n" + "\n".join(rows) + "\n" if style == "lines" else "; ".join(rows)


def read_formatted(form: str, row: Mapping[str, Any], text: str) -> list[Call] | None:
    """Read calls that are written exactly in a format, a code fence around them allowed; None if they are not."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text.partition("\n")[2][:-3].strip()
    return _read_json(row, text) if form == "json" else _read_marks(row, text)


def _read_json(row: Mapping[str, Any], text: str) -> list[Call] | None:
    value = read_value(text)
    found = []
    for item in value if isinstance(value, list) else [value]:
        keys = {*row["keys"], *([row["extra"][0]] if row["extra"] else [])}
        if not isinstance(item, dict) or item.keys() != keys:
            return None
        thought, action, args = (item[key] for key in row["keys"])
        if row["extra"] and not same(item[row["extra"][0]], row["extra"][1]):
            return None
        held = _arguments(row, args)
        if not isinstance(thought, str) or not thought.strip() or not isinstance(action, str) or held is None:
            return None
        found.append(Call(action, held))
    return found


def _arguments(row: Mapping[str, Any], args: Json) -> dict[str, Json] | None:
    if row["style"] == "pairs":
        pair = row["pair"]
        if not isinstance(args, list) or any(not isinstance(a, dict) or a.keys() != set(pair) for a in args):
            return None
        if not all(isinstance(a[pair[0]], str) for a in args):
            return None
        return {a[pair[0]]: a[pair[1]] for a in args}
    if row["style"] == "text":
        args = read_value(args) if isinstance(args, str) else MISSING
    return args if isinstance(args, dict) else None


def _read_marks(row: Mapping[str, Any], text: str) -> list[Call] | None:
    found = []
    while text:
        parts = []
        for opening, closing in zip(row["marks"][::2], row["marks"][1::2], strict=True):
            if not text.startswith(opening):
                return None
            inner, mark, text = text[len(opening) :].partition(closing)
            if not mark:
                return None
            parts.append(inner.strip())
            text = text.lstrip()
        args = _read_lines(row["style"], parts[2])
        if not parts[0] or args is None:
            return None
        found.append(Call(parts[1], args))
    return found or None


def _read_lines(style: str, text: str) -> dict[str, Json] | None:
    if style == "json":
        value = read_value(text)
        return value if isinstance(value, dict) else None
    made: dict[str, Json] = {}
    for part in text.split("\n") if style == "lines" else _split(text):
        if part.strip():
            name, equals, said = part.partition("=")
            value = read_value(said.strip())
            if not equals or value is MISSING:
                return None
            made[name.strip()] = value
    return made


def _split(text: str) -> list[str]:
    """Cut at semicolons that are not inside a JSON text."""
    parts, start, quoted, i = [], 0, False, 0
    while i < len(text):
        if quoted and text[i] == "\\":
            i += 1
        elif text[i] == '"':
            quoted = not quoted
        elif text[i] == ";" and not quoted:
            parts.append(text[start:i])
            start = i + 1
        i += 1
    return [*parts, text[start:]]
