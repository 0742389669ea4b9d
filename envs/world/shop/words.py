"""Reads an action of the shop as people and models write it, and finds the button that was meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_ACTION = re.compile(r"\b(search|click)\b(?: for| on)?[ \t]{0,3}[\[(:]{0,1}[ \t]{0,3}(.{0,300})", re.IGNORECASE)
_BRACKETS = re.compile(r"\b(search|click)[ \t]{0,3}[\[(]([^\[\]()\n]{1,300})[\])]", re.IGNORECASE)
_CODE = re.compile(r"\bb ?(\d{4})\b")
_EDGES = " \t\r\n*_`\"'“”‘’«»[](){}<>.,;:!?"
_SAID = {
    "buy now": "buy", "buy it": "buy", "buy this": "buy", "purchase": "buy", "checkout": "buy", "add to cart": "buy",
    "order": "buy", "back to search": "back", "back to results": "back", "prev": "back", "previous": "back",
    "go back": "back", "return": "back", "next": "next page", "more": "next page", "previous page": "previous page",
    "feature": "features", "attributes": "features", "description tab": "description", "review": "reviews",
    "features tab": "features", "reviews tab": "reviews", "price low to high": "cheapest first",
    "sort by price": "cheapest first", "cheapest": "cheapest first", "best rating first": "best rated first",
    "sort by rating": "best rated first", "best rated": "best rated first", "best match": "best match first",
}  # fmt: skip
BUTTONS = frozenset(_SAID.values())
_UNDER = re.compile(r"(?:only )?(?:under|below|max|up to|at most) \$?(\d{1,5})(?:\.\d\d?)?")


class Action(NamedTuple):
    """What was read."""

    verb: str
    """``search`` or ``click``."""
    text: str


def read_action(reply: str) -> Action | None:
    """Read the last action of a reply: ``search[words]`` or ``click[button]``; None when there is none.

    A line behind the last ``Action:`` counts alone. The brackets may be round, or left out when the line begins with
    the verb; a bare ``buy``, ``back``, ``next page`` or name of a tab is a click.
    """
    mark = reply.lower().rfind("action:")
    text = reply[mark + 7 :].lstrip(" \t\r\n*`").partition("\n")[0] if mark >= 0 else reply
    found = _BRACKETS.findall(text)
    if found:
        return _action(*found[-1])
    line = text.strip(_EDGES).rpartition("\n")[2].strip(_EDGES)
    loose = _ACTION.match(line)
    if loose:
        return _action(loose[1], loose[2])
    name = plain(line)
    return Action("click", name) if name in _SAID or name in BUTTONS or _CODE.fullmatch(name) else None


def plain(text: str) -> str:
    """Return a button's name as it is compared: small letters, no marks around, single spaces."""
    return " ".join(text.lower().strip(_EDGES).split())


def button(text: str) -> str:
    """Return the button that another word for it means, else the plain text."""
    name = plain(text)
    return _SAID.get(name, name)


def product_number(text: str, listed: Sequence[tuple[int, str]]) -> int | None:
    """Return the product that a text names by code, or by its title among those listed; None if none."""
    code = _CODE.search(text)
    if code:
        return int(code[1])
    if len(text) < 8:
        return None
    named = [number for number, title in listed if plain(title).startswith(text) or plain(title) in text]
    return named[0] if len(named) == 1 else None


def ceiling(text: str) -> int | None:
    """Return the dollars of a button such as ``under $50``; None for another."""
    found = _UNDER.fullmatch(text)
    return int(found[1]) if found else None


def _action(verb: str, text: str) -> Action | None:
    said = text.strip(_EDGES)
    return Action(verb.lower(), said) if said else None
