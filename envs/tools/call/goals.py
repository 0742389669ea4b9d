"""What the user of a composed tool-calling task wants: things done, a value, and parts that have to be refused."""

from __future__ import annotations

from typing import Any

from acgym.envs.tools.call.chains import PAGE, Chains, Where
from acgym.envs.tools.call.kinds import FIELDS, Kind
from acgym.envs.tools.call.phrases import Said, listed
from acgym.envs.tools.call.policy import can_rule, never, rule, when
from acgym.envs.tools.call.stock import VALUE, quoted
from acgym.envs.tools.call.words import ADDERS, CHOICES, FLOATS, INTEGERS, NESTED, SLOTS, STRINGS, integers
from acgym.types import Json, canonical_json


class Goals(Chains):
    """Grows one task goal by goal."""

    full: dict[str, dict[str, dict[str, int]]]
    made: dict[str, str]
    said: list[Said]
    refused: list[dict[str, Any]]
    served: dict[Kind, str]
    """Kinds that something is done to -> the verb."""
    answer: str | None = None
    answer_needs: list[int]
    added: tuple[Kind, str, int] | None = None

    def start(self) -> None:
        """Begin with nothing wanted."""
        self.full, self.made, self.said, self.refused, self.served, self.answer_needs = {}, {}, [], [], {}, []

    def touches(self, kind: Kind, verb: str) -> bool:
        """Say whether a verb is wanted for a kind of thing."""
        refused = any(row["tool"] == f"{verb}_{kind.table}" for row in self.refused)
        return refused or self.served.get(kind) == verb

    def goal(self, kind: str) -> None:
        """Add a goal by its name; see the methods."""
        {
            "add": self.add,
            "change": self.change,
            "remove": self.remove,
            "several": self.several,
            "each": self.each,
            "rule": self.under_rule,
            "unserved": self.unserved,
        }[kind]()

    def add(self) -> None:
        """Create a record; one of its values may come from a chain of look-ups, or be left out."""
        draw, stock = self.draw, self.stock
        kind = stock.kind()
        given = [*kind.required, *[field for field in kind.optional if draw.chance(0.5)]]
        traced = draw.pick([f for f in given if f not in NESTED]) if draw.chance(0.75) else None
        lacks = [f for f in kind.required if f != traced]
        lacking = draw.pick(lacks) if lacks and self.leaves_out() else None
        arguments: dict[str, Json] = {}
        needs: list[int] = []
        said = []
        for field in given:
            if field == traced:
                phrase, arguments[field], found = self.trace(field, 1)
                needs += found
                said.append(phrase)
                continue
            arguments[field] = stock.value(field)
            if field == lacking:
                needs.append(self.ask(kind, field, arguments[field]))
            else:
                said.append(stock.say(field, arguments[field]))
        name = stock.tool(kind.adder, kind)
        slot = next((field for field in given if field in SLOTS), None)
        if slot is not None and draw.chance(self.shape.obstacle):
            taken = arguments[slot]
            needs = [self.call(name, arguments, needs)]
            arguments = {**arguments, slot: draw.pick([n for n in integers(self.split, slot) if n != taken])}
            self.full[kind.table] = {slot: {str(taken): arguments[slot]}}
        self._create(kind, arguments, needs)
        literal = [f for f in given if f not in (traced, lacking) and f not in NESTED]
        self._say_add(kind, said, self._swap(draw.pick(literal), arguments) if literal and slot is None else None)

    def _create(self, kind: Kind, arguments: dict[str, Json], needs: list[int]) -> None:
        name = self.stock.tool(kind.adder, kind)
        code = self.made[canonical_json([name, arguments])] = self.stock.code()
        self.added = (kind, code, self.call(name, arguments, needs))
        self.served[kind] = kind.adder

    def _verb(self, kind: Kind) -> str:
        return kind.adder if self.level == 2 and self.draw.chance(0.5) else ADDERS[kind.adder]

    def _say_add(self, kind: Kind, said: list[str], swap: tuple[str, str] | None) -> None:
        parts = {"x": kind.article, "verb": self._verb(kind), "v": listed(self.draw.shuffled(said))}
        if not said:  # all that is needed is left out
            parts["v"] = "whatever it takes"
        self.said.append(Said("add", parts, swap))

    def _swap(self, field: str, values: dict[str, Json]) -> tuple[str, str]:
        """Return how a value is said, and how another one would be that a user might say first."""
        right, wrong = (self.stock.said(field, v) for v in (values[field], self.other(field, values[field])))
        return right.strip(VALUE), wrong.strip(VALUE)

    def change(self) -> None:
        """Write new values into a record; each differs from the old one, and one may be left out."""
        kind = self.stock.kind()
        where = self.target(kind)
        old = self.stock.tables[kind.table][where.key]
        fields = self.draw.sample(kind.fields, 1 if self.level < 4 else 2)
        values = {field: self.other(field, old[field]) for field in fields}
        said = [self.stock.say(field, value) for field, value in values.items()]
        if where.direct and self.leaves_out():
            said[0] = f"a new {fields[0]}"
            where = where._replace(needs=[self.ask(kind, fields[0], values[fields[0]])])
        self.act("change", kind, where, values, plain=kind.table in self.stock.listed)
        self.served[kind] = "change"
        self.said.append(Said("change", {"x": where.phrase, "v": listed(said)}))

    def remove(self) -> None:
        """Cancel a record."""
        kind = self.stock.kind()
        where = self.target(kind)
        self.act("cancel", kind, where, {}, plain=kind.table in self.stock.listed)
        self.served[kind] = "cancel"
        swap = (f'"{where.key}"', f'"{self.stock.code()}"') if where.direct else None
        if swap is not None and f"{VALUE}{swap[0]}{VALUE}" not in where.phrase:
            swap = None
        self.said.append(Said("cancel", {"x": where.phrase}, swap))

    def several(self) -> None:
        """Change or cancel several records alike; the calls do not wait for one another."""
        draw, stock = self.draw, self.stock
        kind = stock.kind()
        keys = [stock.code() for _ in range(draw.between(2, 3 if self.level < 4 else 4))]
        rows = [stock.record(kind, key) for key in keys]
        phrase = f"the {kind.plural} {self._codes(keys)}"
        if draw.chance(0.5):
            for key in keys:
                self.act("cancel", kind, Where(phrase, key, [], False), {}, plain=True)
            self.served[kind] = "cancel"
            self.said.append(Said("cancel", {"x": f"all of {phrase}"}))
            return
        field = draw.pick([f for f in kind.fields if f not in CHOICES])
        value = stock.value(field)
        while any(row[field] == value for row in rows):
            value = stock.value(field)
        for key in keys:
            self.act("change", kind, Where(phrase, key, [], False), {field: value}, plain=True)
        self.served[kind] = "change"
        self.said.append(Said("change", {"x": f"each of {phrase}", "v": stock.say(field, value)}))

    def _codes(self, keys: list[str]) -> str:
        return f"{', '.join(map(quoted, keys[:-1]))} and {quoted(keys[-1])}"

    def each(self) -> None:
        """Create a record for each of several names."""
        draw, stock = self.draw, self.stock
        field = draw.pick(STRINGS)
        kind = stock.kind(field)
        people = [stock.value(field) for _ in range(draw.between(2, 3))]
        given = [f for f in kind.required if f != field]
        shared = {f: stock.value(f) for f in given}
        for person in people:
            self._create(kind, {field: person, **shared}, [])
        self.added = None  # which of them would be meant?
        rest = listed([stock.say(f, value) for f, value in shared.items()])
        parts = {"x": kind.article, "verb": self._verb(kind), "word": stock.word(field)}
        more = {"v": self._codes([str(p) for p in people]), "rest": f", all with {rest}" if rest else ""}
        self.said.append(Said("each", {**parts, **more}))

    def under_rule(self) -> None:
        """Want something that a policy is about: it forbids it always, or under a condition that holds or not."""
        draw, stock = self.draw, self.stock
        kind = stock.kind()
        verb = draw.pick(("cancel", "change", kind.adder))
        field = draw.pick([f for f in kind.fields if can_rule(f)])
        if verb == kind.adder:
            self._add_under_rule(kind, field)
            return
        key = stock.code()
        row = stock.record(kind, key)
        where = Where(f"the {kind.phrase} {quoted(key)}", key, [], True)
        values: dict[str, Json] = {}
        if verb == "change":
            changed = draw.pick([f for f in kind.fields if f != field])
            values[changed] = self.other(changed, row[changed])
        said = listed([stock.say(f, v) for f, v in values.items()]) if values else ""
        self.said.append(Said(verb, {"x": where.phrase, "v": said}))
        breaks = draw.chance(0.5)
        condition = None if draw.chance(0.2) else rule(draw, field, row[field], breaks)
        if condition is None:
            stock.tool(verb, kind)
            self._refuse(kind, verb, never(draw, verb, kind), [])
            return
        read = self.read(kind, key, field, [])
        key = self._key_now(kind, key)
        sentence = when(draw, verb, kind, field, condition)
        if breaks:
            stock.tool(verb, kind)
            self._refuse(kind, verb, sentence, [read])
            return
        self.policies.append(sentence)
        self.act(verb, kind, Where(where.phrase, key, [read], True), values, plain=True)
        self.served[kind] = verb

    def _key_now(self, kind: Kind, key: str) -> str:
        return self.moved.get(kind.table, {}).get(key, key)

    def _refuse(self, kind: Kind, verb: str, sentence: str | None, needs: list[int]) -> None:
        if sentence is not None:
            self.policies.append(sentence)
        self.refused.append({"noun": kind.noun, "tool": f"{verb}_{kind.table}", "needs": needs})

    def _add_under_rule(self, kind: Kind, field: str) -> None:
        """Want a record whose values a policy allows or forbids."""
        draw, stock = self.draw, self.stock
        given = list(dict.fromkeys([*kind.required, field]))
        arguments = {f: stock.value(f) for f in given}
        breaks = draw.chance(0.5)
        condition = rule(draw, field, arguments[field], breaks)
        self._say_add(kind, [stock.say(f, value) for f, value in arguments.items()], None)
        if condition is None:
            stock.tool(kind.adder, kind)
            self._refuse(kind, kind.adder, never(draw, kind.adder, kind), [])
            return
        sentence = when(draw, kind.adder, kind, field, condition)
        if breaks:
            stock.tool(kind.adder, kind)
            self._refuse(kind, kind.adder, sentence, [])
            return
        self.policies.append(sentence)
        self._create(kind, arguments, [])
        self.added = None

    def unserved(self) -> None:
        """Want something that no tool does, though a tool for another kind of the same thing does it."""
        draw, stock = self.draw, self.stock
        kind = stock.kind()
        verb = draw.pick(("cancel", "change", kind.adder, "find"))
        stock.lack(verb, kind)
        self._refuse(kind, verb, None, [])
        if verb == kind.adder:
            self._say_add(kind, [stock.say(f, stock.value(f)) for f in kind.required], None)
            return
        key = stock.code()
        row = stock.record(kind, key)
        phrase = f"the {kind.phrase} {quoted(key)}"
        field = draw.pick(kind.fields)
        if verb == "find":
            self.said.append(Said("tell", {"x": f"the {stock.word(field)} of {phrase}"}))
            return
        said = stock.say(field, self.other(field, row[field]))
        self.said.append(Said(verb, {"x": phrase, "v": said}))

    def question(self) -> None:
        """Ask for a value: a code that a call gave, a field at the end of a chain, the best of several, or a count."""
        draw = self.draw
        if self.added is not None and draw.chance(0.3):
            kind, self.answer, made = self.added
            self.answer_needs = [made]
            self.said.append(Said("tell", {"x": f"the code that you got for the {kind.phrase}"}))
            return
        if draw.chance(0.25):
            self._best()
        elif draw.chance(self.shape.listed[0]):
            self._count()
        else:
            group = draw.pick([g for g in FIELDS[self.level] if g[0] not in CHOICES and g[0] not in NESTED])
            least = 2 if not self.said and self.level == 2 else 1
            phrase, value, self.answer_needs = self.trace(draw.pick(group), least)
            self.answer = str(value)
            self.said.append(Said("tell", {"x": phrase}))

    def _best(self) -> None:
        draw, stock = self.draw, self.stock
        kind = stock.kind()
        keys = [stock.code() for _ in range(draw.between(2, 4))]
        field = draw.pick([f for f in kind.fields if f in INTEGERS or f in FLOATS])
        rows: list[dict[str, Any]] = [stock.record(kind, key) for key in keys]
        while len({row[field] for row in rows}) < len(rows):
            rows[0][field] = stock.value(field)
            rows[-1][field] = stock.value(field)
            rows[1][field] = stock.value(field)
        least = draw.chance(0.5)
        best = (min if least else max)(range(len(keys)), key=lambda i: rows[i][field])
        name = stock.tool("find", kind)
        self.answer_needs = [self.call(name, {kind.noun: key}, []) for key in keys]
        self.answer = keys[best]
        end = "lowest" if least else "highest"
        x = f"which of the {kind.plural} {self._codes(keys)} has the {end} {stock.word(field)}"
        self.said.append(Said("tell", {"x": x}))

    def _count(self) -> None:
        draw, stock = self.draw, self.stock
        kind = stock.kind(draw.pick(tuple(CHOICES)))
        field = next(f for f in kind.fields if f in CHOICES)
        rows = self.fill_list(kind)
        value = draw.pick([row[field] for row in rows.values()])
        self.answer = str(sum(row[field] == value for row in rows.values()))
        self.answer_needs = self.read_pages(kind, -(-len(rows) // PAGE[self.level]))
        self.said.append(Said("tell", {"x": f"how many {kind.plural} there are with {stock.say(field, value)}"}))
