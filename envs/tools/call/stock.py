"""Hands out what composed tool-calling tasks are made of: kinds of thing, records, values, and the tools for them."""

from __future__ import annotations

from dataclasses import replace

from acgym.draw import Draw
from acgym.envs.names import codes, names
from acgym.envs.spoken import MONTHS
from acgym.envs.tools.call.kinds import FIELDS, Kind, nouns, qualifiers
from acgym.envs.tools.call.words import (
    ADDERS,
    ASK,
    CHOICES,
    CODED,
    DATES,
    FLOATS,
    INTEGERS,
    NESTED,
    SPOKEN,
    STRINGS,
    dates,
    floats,
    integers,
    rich_tool,
)
from acgym.types import Json, Split, ToolSpec

VALUE = "\x01"
"""Stands on both sides of a value in a request under way; see :func:`~acgym.envs.tools.call.phrases.request`."""
_NAMED, _CODED = frozenset((*STRINGS, "name")), frozenset((*CODED, "phone"))
LEDGER = "_ledger"
"""Ends the name of the table that a ``check`` tool reads."""


class Stock:
    """Hands out kinds, records and values that occur once in a task, and keeps the tools in use.

    Args:
        draw: choices.
        split: where names, codes, values and kinds come from.
        level: 2 to 5; decides the fields and the words.
    """

    def __init__(self, draw: Draw, split: Split, level: int) -> None:
        self._draw, self._split, self._level = draw, split, level
        self._nouns = draw.shuffled(nouns(split))
        self._used: set[str] = set()
        self.kinds: list[Kind] = []
        """All that were handed out."""
        self._tools: dict[str, tuple[str, Kind]] = {}
        self._links: dict[str, str] = {}
        self._missing: dict[str, tuple[str, Kind]] = {}
        self.listed: set[str] = set()
        """Tables that the task reads page by page."""
        self.tables: dict[str, dict[str, dict[str, Json]]] = {}

    def kind(self, field: str | None = None) -> Kind:
        """Return a new kind of thing, with ``field`` among its fields."""
        draw, noun = self._draw, self._nouns.pop()
        groups = FIELDS[self._level]
        fields = draw.shuffled(
            [field if field is not None and field in group else draw.pick(group) for group in groups]
        )
        adder = draw.pick(tuple(ADDERS))
        made = Kind(draw.pick(qualifiers(self._split, noun)), noun, adder, tuple(fields[:2]), tuple(fields[2:]))
        self.kinds.append(made)
        return made

    @property
    def left(self) -> int:
        """How many kinds of thing are left to hand out."""
        return len(self._nouns)

    @property
    def used(self) -> int:
        """How many tools the task needs so far."""
        return len(self._tools)

    def code(self) -> str:
        """Return a new code of four digits."""
        return self._fresh(codes(self._split))

    def _fresh(self, among: tuple[str, ...]) -> str:
        """Draw a name or code that this task has not used."""
        drawn = self._draw.pick(among)
        while drawn in self._used:
            drawn = self._draw.pick(among)
        self._used.add(drawn)
        return drawn

    def record(self, kind: Kind, key: str, link: tuple[str, str] | None = None) -> dict[str, Json]:
        """Make a record; ``link`` is (noun, id) of the other record that it leads to."""
        row = {field: self.value(field) for field in kind.fields}
        if link is not None:
            row[link[0]] = link[1]
            self._links[kind.table] = link[0]
        self.tables.setdefault(kind.table, {})[key] = row
        return row

    def value(self, field: str) -> Json:
        """Draw a value of the right type for ``field``."""
        draw, split = self._draw, self._split
        if field in _NAMED:
            return self._fresh(names(split))
        if field in _CODED:
            return self.code()
        if field in FLOATS:
            return draw.pick(floats(split, field))
        if field == "contact":
            return {part: self.value(part) for part in NESTED[field]}
        if field == "period":
            first, last = sorted([self.value("from"), self.value("to")])
            return {"from": first, "to": last}
        if field in CHOICES:
            return draw.pick(CHOICES[field])
        if field in INTEGERS:
            return draw.pick(integers(split, field))
        return draw.pick(dates(split))

    def word(self, field: str) -> str:
        """Return what the user calls a field: from level 3 on often another word than the tool's."""
        return SPOKEN[field] if field in SPOKEN and self._level > 2 and self._draw.chance(0.5) else field

    def say(self, field: str, value: Json) -> str:
        """Say a field with its value."""
        if field in NESTED:
            return f"{field} {self.said(field, value)}"
        return f"{self.word(field)} {self.said(field, value)}"

    def said(self, field: str, value: Json) -> str:
        """Say a value, each part between two VALUE marks; generated names and codes stand in quotes."""
        if field == "contact":
            return f"name {quoted(value['name'])} and phone {quoted(value['phone'])}"
        if field == "period":
            return f"from {VALUE}{self._date(value['from'])}{VALUE} to {VALUE}{self._date(value['to'])}{VALUE}"
        if field in DATES:
            return f"{VALUE}{self._date(value)}{VALUE}"
        return quoted(value) if field in STRINGS or field in CODED else f"{VALUE}{value}{VALUE}"

    def _date(self, value: str) -> str:
        """Say a date: as the tools want it up to level 3, as people do from level 4 on."""
        if self._level < 4:
            return value
        year, month, day = value.split("-")
        return f"{int(day)} {MONTHS[int(month) - 1]} {year}"

    def tool(self, verb: str, kind: Kind) -> str:
        """Return the name of a tool, and keep the tool."""
        name = f"{verb}_{kind.table}"
        self._tools[name] = (verb, kind)
        return name

    def lack(self, verb: str, kind: Kind) -> None:
        """Keep a tool out of the task: the user will ask for what it alone could do."""
        self._missing[f"{verb}_{kind.table}"] = (verb, kind)
        twins = [q for q in qualifiers(self._split, kind.noun) if q != kind.qualifier]
        self.tool(verb, replace(kind, qualifier=self._draw.pick(twins)))

    def list_of(self, kind: Kind) -> str:
        """Return the name of the tool that lists a kind in pages, and keep the tool."""
        self.listed.add(kind.table)
        return self.tool("list", kind)

    def stamps(self) -> dict[str, dict[str, list[str]]]:
        """Date the look-ups of all records that no list shows: when each was copied, and before that last changed."""
        made: dict[str, dict[str, list[str]]] = {}
        for table, records in self.tables.items():
            if table not in self.listed and not table.endswith(LEDGER):
                made[table] = {key: self.stamp(False) for key in records}
        return made

    def stamp(self, stale: bool) -> list[str]:
        """Draw the days on which a record was copied and changed; a stale copy is the older one."""
        among = dates(self._split)
        one, other = self._draw.pick(among), self._draw.pick(among)
        while one == other:
            other = self._draw.pick(among)
        return sorted((one, other), reverse=not stale)

    def fill(self, count: int) -> None:
        """Add tools that only look right until there are ``count``: first those that differ in the qualifier alone."""
        draw, split = self._draw, self._split
        used = [*self._tools.values(), *self._missing.values()]
        kinds = list(dict.fromkeys(kind for _, kind in used))
        twins = {
            kind: [replace(kind, qualifier=q) for q in qualifiers(split, kind.noun) if q != kind.qualifier]
            for kind in kinds
        }
        near = draw.shuffled([(verb, twin) for verb, kind in used for twin in twins[kind]])
        far = [(verb, k) for kind in kinds for k in (kind, *twins[kind]) for verb in _verbs(kind)]
        for verb, kind in [*near[: (count - len(self._tools) + 1) * 2 // 3], *draw.shuffled(far)]:
            if len(self._tools) >= count:
                break
            if f"{verb}_{kind.table}" not in self._missing:
                self.tool(verb, kind)
        self._mirror(twins)

    def _mirror(self, twins: dict[Kind, list[Kind]]) -> None:
        """Give each near-duplicate kind records under the same ids with other values, so that mixing them up tells."""
        served = {kind for _, kind in self._tools.values()}
        for kind, others in twins.items():
            for twin in others:
                if twin in served:
                    link = self._links.get(kind.table)
                    for key in self.tables.get(kind.table, {}):
                        self.record(twin, key, None if link is None else (link, self.code()))
                    ledger = self.tables.get(kind.table + LEDGER)
                    if ledger is not None:
                        self.tables[twin.table + LEDGER] = {key: dict(self.tables[twin.table][key]) for key in ledger}
                    if kind.table in self.listed:
                        self.listed.add(twin.table)

    def specs(self) -> tuple[list[ToolSpec], dict[str, dict[str, Json]]]:
        """Return the specs of all tools in random order, and what each does, for a World."""
        specs: list[ToolSpec] = []
        effects: dict[str, dict[str, Json]] = {}
        for name in self._draw.shuffled(tuple(self._tools)):
            verb, kind = self._tools[name]
            specs.append(self._spec(name, verb, kind))
            op = _OPS.get(verb, "add")
            table = kind.table + LEDGER if verb == "check" else kind.table
            effects[name] = {"op": op, "table": table, "key": kind.noun, "noun": kind.phrase, "gives": op == "add"}
        specs.insert(self._draw.below(len(specs) + 1), ask_tool())
        effects[ASK] = {"op": "ask"}
        return specs, effects

    def _spec(self, name: str, verb: str, kind: Kind) -> ToolSpec:
        shown = ", ".join([*kind.fields, *filter(None, [self._links.get(kind.table)])])
        if verb == "find":
            extra = ["fresh"] if self._level > 3 else []
            return rich_tool(name, f"Look up {kind.article} by its code: {shown}.", [kind.noun], extra)
        if verb == "check":
            return rich_tool(name, f"Look {kind.article} up in the ledger by its code: {shown}.", [kind.noun], [])
        if verb == "list":
            return rich_tool(name, f"List all {kind.plural} with their codes, a page at a time: {shown}.", [], ["page"])
        if verb == "change":
            return rich_tool(name, f"Update {kind.article}.", [kind.noun], list(kind.fields))
        if verb == "cancel":
            return rich_tool(name, f"Cancel {kind.article}.", [kind.noun], [])
        if verb == "unlock":
            return rich_tool(name, f"Unlock {kind.article}.", [kind.noun], [])
        said = f"{verb.capitalize()} {kind.article}; gives its code."
        return rich_tool(name, said, list(kind.required), list(kind.optional))


_OPS = {"find": "find", "change": "change", "cancel": "remove", "unlock": "unlock", "check": "find", "list": "list"}


def _verbs(kind: Kind) -> tuple[str, ...]:
    return ("find", "change", "cancel", "unlock", kind.adder)


def quoted(value: Json) -> str:
    """Say a name or a code: in quotes, between two VALUE marks."""
    return f'{VALUE}"{value}"{VALUE}'


def ask_tool() -> ToolSpec:
    """Return the spec of the tool that asks the user."""
    return rich_tool(ASK, "Ask the user for something that the request leaves out.", ["question"], [])
