"""Draws the tool-calling tasks of levels 2 to 5: goals, the chains of calls they take, and the request in words."""

from __future__ import annotations

from typing import Any, NamedTuple

from acgym.draw import Draw
from acgym.envs.tools.call.stock import FIELDS, Kind, Stock
from acgym.envs.tools.call.words import ADDERS, CHOICES, NESTED, SLOTS, integers
from acgym.types import Json, Split, Task, canonical_json


class Shape(NamedTuple):
    """How large the tasks of a level are."""

    tools: int
    goals: tuple[int, int]
    """Fewest and most things that the user wants changed."""
    calls: tuple[int, int]
    """Fewest and most required calls."""
    obstacle: float
    """Chance that a call which changes something meets an error that has to be worked around."""
    question: float
    """Chance that the user also asks for a value."""
    chain: int
    """Most look-ups in a chain."""


SHAPES = {
    2: Shape(tools=5, goals=(0, 1), calls=(2, 2), obstacle=0.15, question=0.3, chain=1),
    3: Shape(tools=8, goals=(1, 2), calls=(3, 4), obstacle=0.4, question=0.4, chain=2),
    4: Shape(tools=12, goals=(1, 3), calls=(4, 5), obstacle=0.4, question=0.5, chain=2),
    5: Shape(tools=20, goals=(2, 3), calls=(6, 8), obstacle=0.5, question=0.8, chain=3),
}


def draw_composed(draw: Draw, split: Split, level: int) -> Task:
    """Draw a task of level 2 to 5: goals are drawn anew until they take as many calls as the level asks for.

    Returns:
        A task as :func:`~acgym.envs.tools.call.simple.draw_simple` describes it. Its kind lists the goals, such as
        ``"add+change+question"``.
    """
    shape = SHAPES[level]
    while True:
        builder = _Builder(draw, split, level)
        kinds = [draw.pick(("add", "add", "change", "remove")) for _ in range(draw.between(*shape.goals))]
        for kind in kinds:
            builder.goal(kind)
        if not kinds or draw.chance(shape.question):
            builder.ask()
            kinds.append("question")
        if shape.calls[0] <= len(builder.calls) <= shape.calls[1]:
            return builder.task("+".join(kinds))


class _Builder:
    """Grows one task goal by goal."""

    def __init__(self, draw: Draw, split: Split, level: int) -> None:
        self._draw, self._split, self._level, self._shape = draw, split, level, SHAPES[level]
        self._stock = Stock(draw, split, level)
        self._moved: dict[str, dict[str, str]] = {}
        self._full: dict[str, dict[str, dict[str, int]]] = {}
        self._made: dict[str, str] = {}
        self._added: tuple[Kind, str, int] | None = None
        self._said: list[str] = []
        self._answer: str | None = None
        self._answer_needs: list[int] = []
        self.calls: list[dict[str, Any]] = []

    def goal(self, kind: str) -> None:
        """Add something that the user wants done."""
        if kind == "add":
            self._add()
        elif kind == "change":
            self._change()
        else:
            target = self._stock.kind()
            phrase, key, needs = self._target(target)
            self._act("cancel", target, key, {}, needs)
            self._said.append(f"cancel {phrase}" if self._level == 2 else f"call off {phrase}")

    def ask(self) -> None:
        """Ask for a value: the code of what was created last, or a field of a record at the end of a chain."""
        if self._added is not None and self._draw.chance(0.3):
            kind, self._answer, made = self._added
            self._answer_needs = [made]
            self._said.append(f"tell me the code that you got for the {kind.phrase}")
            return
        group = self._draw.pick([g for g in FIELDS[self._level] if g[0] not in CHOICES and g[0] not in NESTED])
        least = 2 if not self._said and self._level == 2 else 1
        phrase, value, self._answer_needs = self._trace(self._draw.pick(group), least)
        self._answer = str(value)
        self._said.append(f"tell me {phrase}")

    def task(self, kind: str) -> Task:
        """Add tools that only look right, and write the request."""
        stock = self._stock
        stock.fill(self._shape.tools)
        specs, effects = stock.specs()
        goal = " ".join([f"Please {self._said[0]}.", *[f"Then {sentence}." for sentence in self._said[1:]]])
        data = {
            "tables": stock.tables,
            "tools": effects,
            "moved": self._moved,
            "full": self._full,
            "made": self._made,
            "spare": [stock.code() for _ in range(6)],
        }
        reference = {"calls": self.calls, "answer": self._answer, "answer_needs": self._answer_needs}
        return Task(kind, goal, data, reference, tuple(specs))

    def _add(self) -> None:
        """Create a record; one of its values may come from a chain of look-ups."""
        draw, stock = self._draw, self._stock
        kind = stock.kind()
        given = [*kind.required, *[field for field in kind.optional if draw.chance(0.5)]]
        traced = draw.pick([f for f in given if f not in NESTED]) if draw.chance(0.75) else None
        arguments: dict[str, Json] = {}
        needs: list[int] = []
        said = []
        for field in given:
            if field == traced:
                phrase, arguments[field], needs = self._trace(field, 1)
                said.append(phrase)
            else:
                arguments[field] = stock.value(field)
                said.append(stock.say(field, arguments[field]))
        name = stock.tool(kind.adder, kind)
        slot = next((field for field in given if field in SLOTS), None)
        if slot is not None and draw.chance(self._shape.obstacle):
            taken = arguments[slot]
            needs = [self._call(name, arguments, needs)]
            arguments = {**arguments, slot: draw.pick([n for n in integers(self._split, slot) if n != taken])}
            self._full[kind.table] = {slot: {str(taken): arguments[slot]}}
        code = self._made[canonical_json([name, arguments])] = stock.code()
        self._added = (kind, code, self._call(name, arguments, needs))
        verb = kind.adder if self._level == 2 and draw.chance(0.5) else ADDERS[kind.adder]
        listed = said if self._level == 2 else draw.shuffled(said)
        self._said.append(f"{verb} {kind.article} with {_listed(listed)}")

    def _change(self) -> None:
        """Write new values into a record; each differs from the old one."""
        kind = self._stock.kind()
        phrase, key, needs = self._target(kind)
        old = self._stock.tables[kind.table][key]
        values: dict[str, Json] = {}
        for field in self._draw.sample(kind.fields, 1 if self._level < 4 else 2):
            values[field] = self._stock.value(field)
            while values[field] == old[field]:
                values[field] = self._stock.value(field)
        self._act("change", kind, key, values, needs)
        said = [self._stock.say(field, value) for field, value in values.items()]
        self._said.append(f"{self._draw.pick(('change', 'update', 'set'))} {phrase} to {_listed(said)}")

    def _target(self, kind: Kind) -> tuple[str, str, list[int]]:
        """Make a record to act on; return its phrase, its id and the calls that reveal the id."""
        key = self._stock.code()
        self._stock.record(kind, key)
        phrase, needs = self._locate(kind, key, self._draw.between(0, min(2, self._shape.chain)))
        return phrase, key, needs

    def _act(self, verb: str, kind: Kind, key: str, values: dict[str, Json], needs: list[int]) -> None:
        """Require a change of a record, perhaps barred by a lock or by a new id."""
        stock = self._stock
        name = stock.tool(verb, kind)
        if self._draw.chance(self._shape.obstacle):
            needs = [self._call(name, {kind.noun: key, **values}, needs)]
            if self._level > 2 and self._draw.chance(0.5):
                stock.tables[kind.table][key]["locked"] = True
                needs = [self._call(stock.tool("unlock", kind), {kind.noun: key}, needs)]
            else:
                key = self._move(kind, key)
        self._call(name, {kind.noun: key, **values}, needs)

    def _trace(self, field: str, least: int) -> tuple[str, Json, list[int]]:
        """Make a record that holds ``field``; return the field's phrase, its value and the calls that reveal it."""
        kind = self._stock.kind(field)
        key = self._stock.code()
        value = self._stock.record(kind, key)[field]
        depth = max(least, self._draw.between(1, self._shape.chain))
        phrase, needs = self._locate(kind, key, depth - 1)
        return f"the {self._stock.word(field)} of {phrase}", value, [self._find(kind, key, needs)]

    def _locate(self, kind: Kind, key: str, depth: int) -> tuple[str, list[int]]:
        """Point at a record: by its id, or by another record that holds the id."""
        if depth == 0:
            return f'the {kind.phrase} "{key}"', []
        holder = self._stock.kind()
        holder_key = self._stock.code()
        self._stock.record(holder, holder_key, (kind.noun, key))
        phrase, needs = self._locate(holder, holder_key, depth - 1)
        return f"the {kind.phrase} of {phrase}", [self._find(holder, holder_key, needs)]

    def _find(self, kind: Kind, key: str, needs: list[int]) -> int:
        """Require a look-up, perhaps of a record that is now listed under another id."""
        name = self._stock.tool("find", kind)
        if self._level > 2 and self._draw.chance(self._shape.obstacle / 4):
            needs = [self._call(name, {kind.noun: key}, needs)]
            key = self._move(kind, key)
        return self._call(name, {kind.noun: key}, needs)

    def _move(self, kind: Kind, key: str) -> str:
        """List a record under a new id; return it."""
        records = self._stock.tables[kind.table]
        new = self._stock.code()
        records[new] = records.pop(key)
        self._moved.setdefault(kind.table, {})[key] = new
        return new

    def _call(self, name: str, arguments: dict[str, Json], needs: list[int]) -> int:
        """Require a call; return its position."""
        self.calls.append({"name": name, "arguments": arguments, "needs": needs})
        return len(self.calls) - 1


def _listed(said: list[str]) -> str:
    """Join phrases as a list in words; items may hold "and", so the last comma stays."""
    return ", and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]
