"""The policies of tool-calling tasks in plain English: what they forbid, and rules that only look relevant."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.tools.call.kinds import Kind
from acgym.envs.tools.call.words import CHOICES, FLOATS, INTEGERS
from acgym.types import Json

DONE = {"cancel": "cancelled", "change": "changed", "book": "booked", "order": "ordered", "rent": "rented"}
"""Verb of a tool -> what its record then is."""
NEVER = (
    "{Kinds} are never {done}.",
    "No {kind} may be {done}.",
    "{A} must not be {done}, whoever asks for it.",
    "We do not allow {kinds} to be {done}.",
    "It is forbidden to {verb} {a}.",
    "Do not {verb} {kinds}.",
    "{Kinds} cannot be {done}; there are no exceptions.",
    "Under no circumstances {verb} {a}.",
    "Customers may not have {kinds} {done}.",
    "Refuse every wish to {verb} {a}.",
)
"""A rule without a condition."""
WHEN = (
    "{A} must not be {done} if its {field} is {condition}.",
    "No {kind} whose {field} is {condition} may be {done}.",
    "Do not {verb} {a} whose {field} is {condition}.",
    "If the {field} of {a} is {condition}, it may not be {done}.",
    "It is forbidden to {verb} {a} with its {field} being {condition}.",
    "Whenever the {field} of {a} is {condition}, refuse to {verb} it.",
    "{Kinds} whose {field} is {condition} are never {done}.",
    "You may {verb} {a} unless its {field} is {condition}.",
    "A wish to {verb} {a} is refused when the {field} is {condition}.",
)
"""A rule with a condition on a field."""
BOTH = (
    "{Kinds} are also in the ledger. Before you use the {field} of one, look it up there too; if the two differ, the "
    "one that was changed last is right.",
    "The {field} of {a} is right only where it was changed last: find it and check it in the ledger, and "
    "compare the days.",
    "For the {field} of {a} there are two sources, the record and the ledger. Read both and take the one "
    "changed later.",
    "Do not rely on one look-up for the {field} of {a}: the ledger has it too, and the later change counts.",
    "Record and ledger do not always agree on the {field} of {a}. Read both; what was changed last holds.",
)
"""A rule that asks for two look-ups."""


def rule(draw: Draw, field: str, value: Json, breaks: bool) -> str | None:
    """Return a condition that ``value`` meets (``breaks``: the action is forbidden) or does not; None if none fits.

    Numbers are above or below a bound that differs from them; words are one of the field's words.
    """
    if field in CHOICES:
        others = [word for word in CHOICES[field] if word != value]
        return str(value) if breaks else draw.pick(others)
    if not isinstance(value, (int, float)):
        return None
    above = draw.chance(0.5)
    low = [n for n in range(2, 98) if n < value]
    high = [n for n in range(2, 98) if n > value]
    among = low if above == breaks else high
    if not among:
        return None
    bound = draw.pick(among)
    words = ("more than", "over", "above", "higher than") if above else ("less than", "under", "below", "lower than")
    return f"{draw.pick(words)} {bound}"


def can_rule(field: str) -> bool:
    """Say whether a condition can be put on a field."""
    return field in CHOICES or field in INTEGERS or field in FLOATS


def never(draw: Draw, verb: str, kind: Kind) -> str:
    """Word a rule without a condition."""
    return draw.pick(NEVER).format(**_parts(verb, kind))


def when(draw: Draw, verb: str, kind: Kind, field: str, condition: str) -> str:
    """Word a rule with a condition."""
    return draw.pick(WHEN).format(**_parts(verb, kind), field=field, condition=condition)


def both(draw: Draw, kind: Kind, field: str) -> str:
    """Word a rule that asks for two look-ups."""
    return draw.pick(BOTH).format(**_parts("change", kind), field=field)


def _parts(verb: str, kind: Kind) -> dict[str, str]:
    a, plural = kind.article, kind.plural
    return {
        "verb": verb,
        "done": DONE[verb],
        "kind": kind.phrase,
        "a": a,
        "A": a[0].upper() + a[1:],
        "kinds": plural,
        "Kinds": plural[0].upper() + plural[1:],
    }
