"""Values for the slots of a domain: each drawn once and then kept, with what users say and what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache

from acgym.draw import Draw
from acgym.envs.spoken import Spoken, spoken
from acgym.types import Json

_NUMBERED = re.compile(r"_\d+\Z")
_EMBEDDED = re.compile(r"\{(\w+)\}")


TODAY = "today"
"""The slot that means the day on which the user speaks; it needs no pool."""


class Words:
    """The values of one conversation.

    A slot ``city`` and a slot ``city_2`` are two different values of the pool ``city``.

    Args:
        draw: the source of choices.
        pools: slot -> list of values, or of [said, value]; or a text ``"@kind"`` (see :mod:`acgym.envs.spoken`).
        day: the day on which the user speaks.
    """

    def __init__(self, draw: Draw, pools: Mapping[str, Json], day: date) -> None:
        self._draw, self._pools, self.day = draw, pools, day
        self._drawn: dict[str, Spoken] = {}
        self._taken: set[tuple[str, str]] = set()

    def of(self, slot: str) -> Spoken:
        """Return the value of a slot; drawn at the first time."""
        found = self._drawn.get(slot)
        if found is None and slot == TODAY:
            return Spoken(slot, self.day.isoformat())
        if found is None:
            found = self._drawn[slot] = self.other(slot)
        return found

    def other(self, slot: str) -> Spoken:
        """Draw a value for a slot that no slot of its pool has had, and that is not kept.

        Raises:
            ValueError: if the pool has no further value.
        """
        if slot == TODAY:
            return Spoken("tomorrow", (self.day + timedelta(1)).isoformat())
        base = slot if slot in self._pools else _base(slot)
        pool = self._pools[base]
        for _ in range(200):
            found = spoken(self._draw, pool[1:], self.day) if type(pool) is str else _spoken(self._draw.pick(pool))
            key = (base, str(found.value))
            if key not in self._taken:
                self._taken.add(key)
                return found
        raise ValueError(f"the pool {base!r} has no further value")

    def keep(self, slot: str, found: Spoken) -> None:
        """Give a slot another value."""
        self._drawn[slot] = found

    def said(self, slots: Iterable[str]) -> dict[str, str]:
        """Return what is said for slots."""
        return {slot: self.of(slot).said for slot in slots}

    def values(self, form: Json) -> Json:
        """Fill a JSON value: a text ``"$slot"`` becomes the slot's value."""
        kind = type(form)
        if kind is str:
            return self.of(form[1:]).value if form[:1] == "$" else form
        if kind is dict:
            return {key: self.values(item) for key, item in form.items()}
        if kind is list:
            return [self.values(item) for item in form]
        return form

    def result(self, form: Json, arguments: Mapping[str, Json]) -> Json:
        """Fill a result: ``"$slot"`` as in ``values``, ``"=name"`` and ``{name}`` inside a text become arguments.

        What stands for an argument that was not given is left out.
        """
        if isinstance(form, dict):
            made = {key: self.result(item, arguments) for key, item in form.items()}
            return {key: item for key, item in made.items() if item is not ABSENT}
        if isinstance(form, list):
            return [item for item in (self.result(item, arguments) for item in form) if item is not ABSENT]
        if not isinstance(form, str):
            return form
        if form.startswith("$"):
            return self.of(form[1:]).value
        if form.startswith("="):
            return arguments.get(form[1:], ABSENT)
        return self.message(form, arguments) if "{" in form else form

    def message(self, text: str, arguments: Mapping[str, Json]) -> str:
        """Fill ``{name}`` inside a text with an argument, or with the words of a slot."""

        def filled(found: re.Match[str]) -> str:
            name = found[1]
            return str(arguments[name]) if name in arguments else self.of(name).said

        return _EMBEDDED.sub(filled, text)


class _Absent:
    """The type of ``ABSENT``."""


ABSENT = _Absent()
"""Stands for an argument that was not given."""


def refer(form: Json, results: Mapping[str, Json]) -> Json:
    """Fill arguments: a text ``"@step.path"`` becomes what that step's result holds there (keys, and places of lists).

    Raises:
        KeyError, IndexError, ValueError: if it holds nothing there.
    """
    if isinstance(form, str):
        if not form.startswith("@"):
            return form
        step, *path = form[1:].split(".")
        value = results[step]
        for key in path:
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value
    if isinstance(form, dict):
        return {key: refer(item, results) for key, item in form.items()}
    return [refer(item, results) for item in form] if isinstance(form, list) else form


@cache
def _base(slot: str) -> str:
    return _NUMBERED.sub("", slot)


def _spoken(entry: Json) -> Spoken:
    return Spoken(entry[0], entry[1]) if isinstance(entry, list) else Spoken(str(entry), entry)
