"""The calls that a tool-calling task takes, linked by what they need, and the records that they meet."""

from __future__ import annotations

from typing import Any, NamedTuple

from acgym.draw import Draw
from acgym.envs.tools.call.kinds import Kind
from acgym.envs.tools.call.policy import both
from acgym.envs.tools.call.stock import LEDGER, VALUE, Stock, quoted
from acgym.envs.tools.call.user import ANSWERS, missing, question
from acgym.envs.tools.call.words import ASK, FLOATS, INTEGERS, STRINGS
from acgym.types import Json, Split


class Shape(NamedTuple):
    """How large the tasks of a level are, and what they hold."""

    tools: int
    goals: tuple[int, int]
    """Fewest and most things that the user wants done, questions left out."""
    calls: tuple[int, int]
    """Fewest and most required calls."""
    obstacle: float
    """Chance that a call which changes something meets an error that has to be worked around."""
    question: float
    """Chance that the user also asks for a value."""
    chain: int
    """Most look-ups in a chain."""
    missing: tuple[float, int]
    """Chance that a goal leaves out what it needs, and how many goals of a task may."""
    refusable: tuple[int, int]
    """Fewest and most goals that no tool serves or that a policy is about."""
    policies: int = 0
    """Rules of the policy, those that only look relevant included; 0 for no policy."""
    listed: tuple[float, int] = (0.0, 0)
    """Chance that a thing has to be found in a list, and the pages of the list."""
    stale: float = 0.0
    """Chance that a look-up shows a stale copy."""
    differ: float = 0.0
    """Chance that a value has two sources that differ."""


PAGE = {4: 6, 5: 8}
"""Level -> records on a page of a list."""


class Where(NamedTuple):
    """A thing to act on."""

    phrase: str
    key: str
    needs: list[int]
    """The calls that reveal its code."""
    direct: bool
    """Whether the request gives its code."""


class Chains:
    """Makes records and requires calls; the goals of a task are built with it.

    Args:
        draw: choices.
        split: where names, codes, values and kinds come from.
        level: 2 to 5.
        shape: the level's.
    """

    def __init__(self, draw: Draw, split: Split, level: int, shape: Shape) -> None:
        self.draw, self.split, self.level, self.shape = draw, split, level, shape
        self.stock = Stock(draw, split, level)
        self.moved: dict[str, dict[str, str]] = {}
        self.stamped: dict[str, dict[str, list[str]]] = {}
        self.stale: dict[str, dict[str, dict[str, Json]]] = {}
        self.missing: list[dict[str, Any]] = []
        self.policies: list[str] = []
        self.calls: list[dict[str, Any]] = []

    def call(self, name: str, arguments: dict[str, Json], needs: list[int]) -> int:
        """Require a call; return its position."""
        self.calls.append({"name": name, "arguments": arguments, "needs": needs})
        return len(self.calls) - 1

    def leaves_out(self) -> bool:
        """Draw whether a goal leaves out what it needs."""
        chance, most = self.shape.missing
        return len(self.missing) < most and self.draw.chance(chance)

    def ask(self, kind: Kind, field: str | None, value: Json) -> int:
        """Leave a value out of the request, and require the question for it; return its position."""
        said = quoted(value) if field is None else self.stock.said(field, value)
        form = self.draw.pick(ANSWERS)
        self.missing.append(missing(kind.noun, field, said.replace(VALUE, ""), form))
        return self.call(ASK, {"question": question(field, kind.phrase)}, [])

    def target(self, kind: Kind) -> Where:
        """Make a record to act on, which the request points at in one of several ways."""
        draw, shape = self.draw, self.shape
        if draw.chance(shape.listed[0]):
            return self.search(kind)
        key = self.stock.code()
        self.stock.record(kind, key)
        if self.leaves_out():
            return Where(f"my {kind.phrase}", key, [self.ask(kind, None, key)], False)
        phrase, needs = self.locate(kind, key, draw.between(0, min(2, shape.chain)))
        return Where(phrase, key, needs, not needs)

    def search(self, kind: Kind) -> Where:
        """Hide a record in a list: it is the one with a name, or the one with the lowest or highest number."""
        draw, stock = self.draw, self.stock
        rows = self.fill_list(kind)
        numbers = [f for f in kind.fields if f in INTEGERS or f in FLOATS]
        field = draw.pick(numbers)
        values: list[Any] = [row[field] for row in rows.values()]
        least = draw.chance(0.5)
        best: Any = min(values) if least else max(values)
        if values.count(best) > 1 or draw.chance(0.5):
            name = next(f for f in kind.fields if f in STRINGS)
            at = draw.below(len(rows))
            key = list(rows)[at]
            pages = self.read_pages(kind, at // PAGE[self.level] + 1)
            return Where(f"the {kind.phrase} with {stock.say(name, rows[key][name])}", key, pages, False)
        key = list(rows)[values.index(best)]
        end = "lowest" if least else "highest"
        pages = self.read_pages(kind, -(-len(rows) // PAGE[self.level]))
        return Where(f"the {kind.phrase} with the {end} {stock.word(field)} of all", key, pages, False)

    def fill_list(self, kind: Kind) -> dict[str, dict[str, Json]]:
        """Make the records of a list, so many that they take the level's pages."""
        pages, size = self.shape.listed[1], PAGE[self.level]
        for _ in range(self.draw.between((pages - 1) * size + 1, pages * size)):
            self.stock.record(kind, self.stock.code())
        return self.stock.tables[kind.table]

    def read_pages(self, kind: Kind, count: int) -> list[int]:
        """Require the first pages of a list; those after the first are known of once that was read."""
        name = self.stock.list_of(kind)
        first = self.call(name, {}, [])
        return [first, *[self.call(name, {"page": page}, [first]) for page in range(2, count + 1)]]

    def locate(self, kind: Kind, key: str, depth: int) -> tuple[str, list[int]]:
        """Point at a record: by its id, or by another record that holds the id."""
        if depth == 0:
            return f"the {kind.phrase} {quoted(key)}", []
        holder = self.stock.kind()
        holder_key = self.stock.code()
        self.stock.record(holder, holder_key, (kind.noun, key))
        phrase, needs = self.locate(holder, holder_key, depth - 1)
        return f"the {kind.phrase} of {phrase}", [self.find(holder, holder_key, needs)]

    def find(self, kind: Kind, key: str, needs: list[int]) -> int:
        """Require a look-up, perhaps of a record that is now listed under another id."""
        name = self.stock.tool("find", kind)
        if self.level > 2 and self.draw.chance(self.shape.obstacle / 4):
            needs = [self.call(name, {kind.noun: key}, needs)]
            key = self.move(kind, key)
        return self.call(name, {kind.noun: key}, needs)

    def read(self, kind: Kind, key: str, field: str, needs: list[int]) -> int:
        """Require a look-up of one field; perhaps the first answer is a stale copy, and it has to be read again."""
        if not self.draw.chance(self.shape.stale):
            return self.find(kind, key, needs)
        name = self.stock.tool("find", kind)
        now = self.stock.tables[kind.table][key][field]
        self.stale.setdefault(kind.table, {})[key] = {field: self.other(field, now)}
        self.stamped.setdefault(kind.table, {})[key] = self.stock.stamp(True)
        first = self.call(name, {kind.noun: key}, needs)
        return self.call(name, {kind.noun: key, "fresh": True}, [first])

    def trace(self, field: str, least: int) -> tuple[str, Json, list[int]]:
        """Make a record that holds ``field``; return the field's phrase, its value and the calls that reveal it."""
        draw, stock, shape = self.draw, self.stock, self.shape
        kind = stock.kind(field)
        key = stock.code()
        value = stock.record(kind, key)[field]
        depth = max(least, draw.between(1, shape.chain))
        phrase, needs = self.locate(kind, key, depth - 1)
        said = f"the {stock.word(field)} of {phrase}"
        if draw.chance(shape.differ):
            value, calls = self.compare_sources(kind, key, field, needs)
            return said, value, calls
        return said, value, [self.read(kind, key, field, needs)]

    def compare_sources(self, kind: Kind, key: str, field: str, needs: list[int]) -> tuple[Json, list[int]]:
        """Let record and ledger differ in a field; return the right value and the two look-ups."""
        stock = self.stock
        row = stock.tables[kind.table][key]
        older, newer = stock.stamp(True)
        late = self.draw.chance(0.5)
        self.stamped.setdefault(kind.table, {})[key] = [newer, older if late else newer]
        ledger = {**row, field: self.other(field, row[field]), "changed": newer if late else older}
        stock.tables.setdefault(kind.table + LEDGER, {})[key] = ledger
        self.policies.append(both(self.draw, kind, field))
        calls = [self.call(stock.tool(verb, kind), {kind.noun: key}, needs) for verb in ("find", "check")]
        return ledger[field] if late else row[field], calls

    def other(self, field: str, value: Json) -> Json:
        """Draw another value of a field."""
        drawn = self.stock.value(field)
        while drawn == value:
            drawn = self.stock.value(field)
        return drawn

    def act(self, verb: str, kind: Kind, where: Where, values: dict[str, Json], plain: bool = False) -> None:
        """Require a change of a record; unless ``plain``, perhaps barred by a lock or by a new id."""
        stock = self.stock
        name = stock.tool(verb, kind)
        key, needs = where.key, where.needs
        if not plain and self.draw.chance(self.shape.obstacle):
            needs = [self.call(name, {kind.noun: key, **values}, needs)]
            if self.level > 2 and self.draw.chance(0.5):
                stock.tables[kind.table][key]["locked"] = True
                needs = [self.call(stock.tool("unlock", kind), {kind.noun: key}, needs)]
            else:
                key = self.move(kind, key)
        self.call(name, {kind.noun: key, **values}, needs)

    def move(self, kind: Kind, key: str) -> str:
        """List a record under a new id; return it."""
        records = self.stock.tables[kind.table]
        new = self.stock.code()
        records[new] = records.pop(key)
        self.moved.setdefault(kind.table, {})[key] = new
        return new
