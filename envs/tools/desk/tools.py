"""What the tools of a shop and of an airline have in common: their specs, checked arguments, and a calculator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from acgym.envs.tools.desk.records import Records
from acgym.envs.tools.tau2_refused import Refused
from acgym.types import Json, ToolSpec

Run = Callable[..., Json]
"""A tool: the records and its arguments by name, to what it tells."""

TEXT: dict[str, Json] = {"type": "string"}
WHOLE: dict[str, Json] = {"type": "integer"}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    described: str
    parameters: Mapping[str, Mapping[str, Json]]
    """Name -> JSON Schema; all are needed."""
    run: Run

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON Schema of its arguments."""
        return {
            "type": "object",
            "properties": {name: dict(schema) for name, schema in self.parameters.items()},
            "required": list(self.parameters),
            "additionalProperties": False,
        }

    def spec(self, name: str) -> ToolSpec:
        """Return it as an agent is told of it."""
        return {
            "type": "function",
            "function": {"name": name, "description": self.described, "parameters": self.schema},
        }


def text(meaning: str, *choices: str) -> dict[str, Json]:
    """Return the schema of a text that means something, maybe one of a few."""
    return {**TEXT, "description": meaning, **({"enum": list(choices)} if choices else {})}


def whole(meaning: str) -> dict[str, Json]:
    """Return the schema of a whole number, 0 or more."""
    return {**WHOLE, "description": meaning, "minimum": 0}


def listed(meaning: str, of: Mapping[str, Json] = TEXT) -> dict[str, Json]:
    """Return the schema of a list."""
    return {"type": "array", "items": dict(of), "description": meaning}


def fields(**schemas: Mapping[str, Json]) -> dict[str, Json]:
    """Return the schema of an object whose fields are all needed."""
    held = {name: dict(schema) for name, schema in schemas.items()}
    return {"type": "object", "properties": held, "required": list(held), "additionalProperties": False}


def method_of(user: Mapping[str, Any], payment_id: str) -> Mapping[str, Any]:
    """Return a payment method of a user.

    Raises:
        Refused: if the user has no such method.
    """
    found = user["payment_methods"].get(payment_id)
    if found is None:
        raise Refused(f"the user has no payment method {payment_id[:60]!r}")
    method: Mapping[str, Any] = found
    return method


_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?|\.\d+)|([-+*/()]))")
_LONGEST = 400


def calculate(_: Records, expression: str) -> Json:
    """Work out an expression of numbers, ``+ - * /`` and brackets, to two places.

    Raises:
        Refused: if it is anything else.
    """
    tokens, at = [], 0
    while at < len(expression.rstrip()):
        found = _TOKEN.match(expression, at)
        if found is None or len(expression) > _LONGEST:
            raise Refused(f"an expression is made of numbers, + - * / and brackets, up to {_LONGEST} characters")
        tokens.append(found[0].strip())
        at = found.end()
    try:
        value, left = _sum(tokens, 0)
        if left != len(tokens):
            raise Refused("the expression does not end where it should")
    except (IndexError, ZeroDivisionError, OverflowError, RecursionError):
        raise Refused("the expression cannot be worked out") from None
    return str(round(value, 2))


def _sum(tokens: list[str], at: int) -> tuple[float, int]:
    value, at = _product(tokens, at)
    while at < len(tokens) and tokens[at] in "+-":
        other, after = _product(tokens, at + 1)
        value, at = (value + other if tokens[at] == "+" else value - other), after
    return value, at


def _product(tokens: list[str], at: int) -> tuple[float, int]:
    value, at = _factor(tokens, at)
    while at < len(tokens) and tokens[at] in "*/":
        other, after = _factor(tokens, at + 1)
        value, at = (value * other if tokens[at] == "*" else value / other), after
    return value, at


def _factor(tokens: list[str], at: int) -> tuple[float, int]:
    token = tokens[at]
    if token in "+-":
        value, at = _factor(tokens, at + 1)
        return (-value if token == "-" else value), at
    if token == "(":
        value, at = _sum(tokens, at + 1)
        if tokens[at] != ")":
            raise Refused("a bracket is not closed")
        return value, at + 1
    if token in "*/)":
        raise Refused(f"a number was expected where {token!r} stands")
    return float(token), at + 1


CALCULATE = Tool(
    "Work out an expression.", {"expression": text("Numbers, + - * / and brackets, such as (3 + 4.5) * 2.")}, calculate
)
TRANSFER = Tool(
    "Hand the customer over to a human agent: only if the request is beyond what the policy lets you do.",
    {"summary": text("What the matter is.")},
    lambda _, summary: "The customer is handed over.",
)
