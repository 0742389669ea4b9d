"""What composed tool-calling tasks are made of: kinds of thing, their records and values, and the tools for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from acgym.draw import Draw
from acgym.envs.names import codes, in_split, names
from acgym.envs.tools.call.words import (
    ADDERS,
    CHOICES,
    CODED,
    DATES,
    FLOATS,
    INTEGERS,
    MONTHS,
    NESTED,
    NOUNS,
    QUALIFIERS,
    SLOTS,
    SPOKEN,
    STRINGS,
    dates,
    floats,
    integers,
    rich_tool,
)
from acgym.types import Json, Split, ToolSpec

_SIZES = INTEGERS[5:]  # without price, which is what the user calls cost
FIELDS = {
    2: (STRINGS, SLOTS, tuple(CHOICES), _SIZES),
    3: (STRINGS, SLOTS, FLOATS, DATES, tuple(CHOICES)),
    4: (STRINGS, SLOTS, FLOATS, DATES, tuple(NESTED), tuple(CHOICES)),
    5: (STRINGS, SLOTS, FLOATS, DATES, tuple(NESTED), CODED, _SIZES),
}
"""Level -> groups of fields; a kind of thing has one field of each group."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: one table, and the tools that act on it."""

    qualifier: str
    noun: str
    adder: str
    """Verb of the tool that creates one."""
    required: tuple[str, ...]
    """Fields that must be given to create one."""
    optional: tuple[str, ...]

    @property
    def table(self) -> str:
        """Name of its table: ``north_room``."""
        return f"{self.qualifier}_{self.noun}"

    @property
    def phrase(self) -> str:
        """What the user calls it: ``north room``."""
        return f"{self.qualifier} {self.noun}"

    @property
    def article(self) -> str:
        """The phrase with its article: ``an old room``."""
        return f"{'an' if self.qualifier[0] in 'aeiou' else 'a'} {self.phrase}"

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields of a record but links to other records."""
        return self.required + self.optional


@cache
def qualifiers(split: Split, noun: str) -> tuple[str, ...]:
    """The qualifiers that go with ``noun`` in a split; no pair is in both splits."""
    return tuple(q for q in QUALIFIERS if in_split(f"kind {q} {noun}", split))


@cache
def nouns(split: Split) -> tuple[str, ...]:
    """The nouns with at least two qualifiers in a split, so that each has a near-duplicate."""
    return tuple(noun for noun in NOUNS if len(qualifiers(split, noun)) >= 2)


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
        self._tools: dict[str, tuple[str, Kind]] = {}
        self._links: dict[str, str] = {}
        self.tables: dict[str, dict[str, dict[str, Json]]] = {}

    def kind(self, field: str | None = None) -> Kind:
        """Return a new kind of thing, with ``field`` among its fields."""
        draw, noun = self._draw, self._nouns.pop()
        groups = FIELDS[self._level]
        fields = draw.shuffled(
            [field if field is not None and field in group else draw.pick(group) for group in groups]
        )
        adder = draw.pick(tuple(ADDERS))
        return Kind(draw.pick(qualifiers(self._split, noun)), noun, adder, tuple(fields[:2]), tuple(fields[2:]))

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
        if field in STRINGS or field == "name":
            return self._fresh(names(split))
        if field in CODED or field == "phone":
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
        """Say a field with its value; generated names and codes stand in quotes."""
        word = self.word(field)
        if field == "contact":
            return f'contact name "{value["name"]}" and phone "{value["phone"]}"'
        if field == "period":
            return f"period from {self._date(value['from'])} to {self._date(value['to'])}"
        if field in DATES:
            return f"{word} {self._date(value)}"
        return f'{word} "{value}"' if field in STRINGS or field in CODED else f"{word} {value}"

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

    def fill(self, count: int) -> None:
        """Add tools that only look right until there are ``count``: first those that differ in the qualifier alone."""
        draw, split = self._draw, self._split
        used = list(self._tools.values())
        kinds = list(dict.fromkeys(kind for _, kind in used))
        twins = {
            kind: [replace(kind, qualifier=q) for q in qualifiers(split, kind.noun) if q != kind.qualifier]
            for kind in kinds
        }
        near = draw.shuffled([(verb, twin) for verb, kind in used for twin in twins[kind]])
        far = [(verb, k) for kind in kinds for k in (kind, *twins[kind]) for verb in _verbs(kind)]
        for verb, kind in [*near[: (count - len(used) + 1) * 2 // 3], *draw.shuffled(far)]:
            if len(self._tools) >= count:
                break
            self.tool(verb, kind)
        self._mirror(twins)

    def _mirror(self, twins: dict[Kind, list[Kind]]) -> None:
        """Give each near-duplicate kind records under the same ids with other values, so that mixing them up tells."""
        for kind, others in twins.items():
            for twin in others:
                if any(used == twin for _, used in self._tools.values()):
                    link = self._links.get(kind.table)
                    for key in self.tables.get(kind.table, {}):
                        self.record(twin, key, None if link is None else (link, self.code()))

    def specs(self) -> tuple[list[ToolSpec], dict[str, dict[str, Json]]]:
        """Return the specs of all tools in random order, and what each does, for a World."""
        specs, effects = [], {}
        for name in self._draw.shuffled(tuple(self._tools)):
            verb, kind = self._tools[name]
            specs.append(self._spec(name, verb, kind))
            op = _OPS.get(verb, "add")
            effects[name] = {"op": op, "table": kind.table, "key": kind.noun, "noun": kind.phrase, "gives": op == "add"}
        return specs, effects

    def _spec(self, name: str, verb: str, kind: Kind) -> ToolSpec:
        if verb == "find":
            shown = [*kind.fields, *filter(None, [self._links.get(kind.table)])]
            return rich_tool(name, f"Look up {kind.article} by its code: {', '.join(shown)}.", [kind.noun], [])
        if verb == "change":
            return rich_tool(name, f"Update {kind.article}.", [kind.noun], list(kind.fields))
        if verb == "cancel":
            return rich_tool(name, f"Cancel {kind.article}.", [kind.noun], [])
        if verb == "unlock":
            return rich_tool(name, f"Unlock {kind.article}.", [kind.noun], [])
        said = f"{verb.capitalize()} {kind.article}; gives its code."
        return rich_tool(name, said, list(kind.required), list(kind.optional))


_OPS = {"find": "find", "change": "change", "cancel": "remove", "unlock": "unlock"}


def _verbs(kind: Kind) -> tuple[str, ...]:
    return (*_OPS, kind.adder)
