"""Draws what is hidden and asked at levels 2 to 5 of the needle: kinds of question and their distractors."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.context import needle_words as w
from acgym.envs.context.people import near_people, ordinal
from acgym.envs.names import codes
from acgym.envs.spoken import MONTHS
from acgym.types import Split

ABSENT = "not in the text"


class Level(NamedTuple):
    """What a level asks."""

    length: int  # longest first observation, in words
    load: int  # statements besides those that are needed
    kinds: tuple[str, ...]  # kinds of question, one of which is drawn


LEVELS = {
    2: Level(1000, 8, ("single", "several", "latest", "hop")),
    3: Level(4000, 20, ("several", "latest", "hop", "count", "sum", "share", "last", "without", "hop", "absent")),
    4: Level(8000, 30, ("latest", "hops", "hop", "count", "sum", "heaviest", "last", "without", "hops", "absent")),
    5: Level(
        16000, 48, ("share", "hops", "hops", "count to", "sum", "heaviest", "last", "without", "latest", "absent")
    ),
}


class Hidden(NamedTuple):
    """What is hidden and asked."""

    question: str
    wanted: list[str]
    needed: list[str]
    """Statements that the answer needs."""
    others: list[str]
    rivals: list[str]
    """What else might have been answered."""


class Teller:
    """Draws people, days, values and statements for one text; no value and no day of a person comes twice."""

    def __init__(self, draw: Draw, split: Split, load: int) -> None:
        self.draw, self.load = draw, load
        self.people = near_people(draw, split, max(14, load // 2 + 8))
        self.values = draw.sample(codes(split), load + 24)
        self.days = draw.sample(range(300), min(300, load + 40))
        self.villages = draw.shuffled(w.VILLAGES)
        self.told: set[tuple[str, str]] = set()

    def person(self) -> str:
        """Return somebody who was not named yet."""
        return self.people.pop()

    def value(self) -> str:
        """Return a code of four digits."""
        return self.values.pop()

    def day(self) -> int:
        """Return the number of a day of the year, in months of 25 days."""
        return self.days.pop()

    def code(self, what: str, person: str, value: str) -> str:
        """Say whose code is what."""
        self.told.add((what, person))
        return self.draw.pick(w.CODES[what].tells).format(p=person, v=value)

    def noise(self, crowd: list[str], used: Collection[str], avoid: tuple[str, str] | None) -> str:
        """Return a statement that looks as the needed ones do and has nothing to do with them.

        Args:
            crowd: people of whom it may be told.
            used: people of the question, of whom only codes of other things are told.
            avoid: what and who must not be told of.
        """
        draw = self.draw
        person, what = draw.pick(crowd), draw.pick(tuple(w.CODES))
        kind = draw.below(6)
        if person in used or kind < 3:
            if (what, person) in self.told or (what, person) == avoid:
                return ""
            return self.code(what, person, self.value())
        if kind == 3:
            said = draw.pick(w.SENT if draw.chance(0.5) else w.GOT)
            return said.format(p=person, d=say_day(self.day()), n=draw.between(2, 30), t=draw.pick(w.VILLAGES))
        if kind == 4:
            return draw.pick(w.KEEPS).format(p=person, a=draw.pick(w.ANIMALS))
        office, village = draw.pick(w.OFFICES), draw.pick(w.VILLAGES)
        if (office, village) in self.told:
            return ""
        self.told.add((office, village))
        return draw.pick(w.HOLDS).format(o=office, t=village, p=person)


def say_day(day: int) -> str:
    """Say a day: 25 are taken of each month."""
    return f"the {ordinal(day % 25 + 1)} of {MONTHS[day // 25]}"


def hide_kind(draw: Draw, split: Split, kind: str, load: int) -> Hidden:
    """Draw what is hidden for a kind of question, with ``load`` other statements around it."""
    teller = Teller(draw, split, load)
    found = KINDS[kind](teller)
    named = [name for name in teller.people if draw.chance(0.8)] or teller.people
    used = dict.fromkeys(found.people)  # ordered, unlike a set
    crowd = [*named, *used]
    others = list(found.others)
    values = list(found.rivals)
    tries = 0
    while len(others) < load and tries < 20 * load:
        tries += 1
        said = teller.noise(crowd, used, found.avoid)
        if said:
            others.append(said)
    rivals = {*values, *named, *used, *w.VILLAGES} if not found.wanted[0][:1].isdigit() else set(values)
    return Hidden(found.question, found.wanted, found.needed, others[:load], sorted(rivals - set(found.wanted)))


class Found(NamedTuple):
    """What a kind draws."""

    question: str
    wanted: list[str]
    needed: list[str]
    others: list[str]
    people: list[str]
    rivals: list[str]
    avoid: tuple[str, str] | None = None


def _single(t: Teller, count: int = 1) -> Found:
    asked = [(t.draw.pick(tuple(w.CODES)), t.person(), t.value()) for _ in range(count)]
    needed = [t.code(what, person, value) for what, person, value in asked]
    questions = [t.draw.pick(w.CODES[what].asks).format(p=person) for what, person, _ in asked]
    others = [t.code(what, t.person(), t.value()) for what, _, _ in asked]
    return Found(
        " ".join(questions), [value for *_, value in asked], needed, others, [name for _, name, _ in asked], []
    )


def _several(t: Teller) -> Found:
    """Three codes, one of them by a link."""
    one = _single(t, 2)
    other = _share(t)
    return Found(f"{one.question} {other.question}", one.wanted + other.wanted, one.needed + other.needed,
                 one.others + other.others, one.people + other.people, [])  # fmt: skip


def _share(t: Teller, links: int = 2) -> Found:
    """A code through whose thing it is."""
    what = t.draw.pick(tuple(w.CODES))
    chain = [t.person() for _ in range(links + 1)]
    needed = [t.draw.pick(w.CODES[what].shared).format(p=p, q=q) for p, q in pairwise(chain)]
    value, decoy = t.value(), t.value()
    needed.append(t.code(what, chain[-1], value))
    t.told.update((what, name) for name in chain)
    near = t.person()
    others = [t.draw.pick(w.CODES[what].shared).format(p=t.person(), q=near), t.code(what, near, decoy)]
    return Found(t.draw.pick(w.CODES[what].asks).format(p=chain[0]), [value], needed, others, chain, [])


def _latest(t: Teller) -> Found:
    """A code that was changed, by date and not by place in the text."""
    what, person = t.draw.pick(tuple(w.CODES)), t.person()
    days = sorted((t.day() for _ in range(3)), reverse=True)
    values = [t.value() for _ in days]
    said = [
        t.draw.pick(w.CODES[what].dated).format(p=person, v=value, d=say_day(day))
        for day, value in zip(days, values, strict=True)
    ]
    t.told.add((what, person))
    place = t.draw.below(2)
    question = t.draw.pick(w.CODES[what].asks).format(p=person)
    question = question[:-1] + (
        " after the last change, by date?" if place == 0 else " before the last change, by date?"
    )
    return Found(question, [values[place]], said, [], [person], values)


def _hop(t: Teller, links: int = 1) -> Found:
    """The code of somebody who is told by an office, or by kinship with one who has an office."""
    what, office, village = t.draw.pick(tuple(w.CODES)), t.draw.pick(w.OFFICES), t.villages.pop()
    holder, value = t.person(), t.value()
    needed = [t.draw.pick(w.HOLDS).format(o=office, t=village, p=holder), t.code(what, holder, value)]
    asked, people = f"the {office} of {village}", [holder]
    if links > 1:
        relation, person = t.draw.below(len(w.KIN)), t.person()
        needed.insert(0, w.KIN[relation].format(p=person, o=office, t=village))
        asked, people = w.KIN_ASKED[relation].format(p=person), [person, holder]
    near, other = t.person(), t.person()
    held = [(office, t.villages.pop(), near), (next(o for o in w.OFFICES if o != office), village, other)]
    others = [t.draw.pick(w.HOLDS).format(o=o, t=where, p=who) for o, where, who in held]
    others += [t.code(what, who, t.value()) for who in (near, other)]
    t.told.update([(office, village), *((o, where) for o, where, _ in held)])
    question = t.draw.pick(w.CODES[what].asks)
    if links > 1:
        question = f"This is about {asked}. {question.format(p='this person')}"
    return Found(question.format(p=asked), [value], needed, others, people, [])


def _parcels(t: Teller, how: str) -> Found:
    """Questions about all parcels that somebody sent, with parcels that came and parcels of namesakes about."""
    draw, person = t.draw, t.person()
    number = draw.between(3, 5) if how != "last" else 3
    sent = [(t.day(), n, draw.pick(w.VILLAGES[:6])) for n in draw.sample(range(2, 30), number)]
    if how in ("last", "heaviest"):
        sent = [(day, n, t.villages.pop()) for day, n, _ in sent]
    got = [(t.day(), draw.between(2, 30), draw.pick(w.VILLAGES)) for _ in range(draw.between(1, 4))]
    needed = [draw.pick(w.SENT).format(p=person, d=say_day(d), n=n, t=village) for d, n, village in sent]
    others = [draw.pick(w.GOT).format(p=person, d=say_day(d), n=n, t=village) for d, n, village in got]
    for _ in range(2):
        day, weight, village = say_day(t.day()), draw.between(2, 30), draw.pick(w.VILLAGES)
        others.append(draw.pick(w.SENT).format(p=t.person(), d=day, n=weight, t=village))
    village = draw.pick(sent)[2]
    question, wanted = {
        "count": (w.COUNT, str(number)),
        "count to": (w.COUNT_TO, str(sum(each[2] == village for each in sent))),
        "sum": (w.SUM, str(sum(n for _, n, _ in sent))),
        "last": (w.LAST, max(sent)[2]),
        "heaviest": (w.HEAVIEST, max(sent, key=lambda each: each[1])[2]),
    }[how]
    return Found(draw.pick(question).format(p=person, t=village), [wanted], needed, others, [person], [])


def _without(t: Teller) -> Found:
    """Who of six does not keep an animal; all six are told of."""
    animal = t.draw.pick(w.ANIMALS)
    names = [t.person() for _ in range(6)]
    needed = [t.draw.pick(w.KEEPS_NOT if i == 0 else w.KEEPS).format(p=name, a=animal) for i, name in enumerate(names)]
    listed = ", ".join(t.draw.shuffled(names))
    return Found(t.draw.pick(w.WITHOUT).format(a=animal, names=listed), [names[0]], needed, [], names, names)


def _absent(t: Teller) -> Found:
    """A code that the text does not tell; it tells another one of the person, and this one of a namesake."""
    what, other = t.draw.sample(tuple(w.CODES), 2)
    person, near = t.person(), t.person()
    needed = [t.code(other, person, t.value())]
    others = [t.code(what, near, t.value())]
    question = t.draw.pick(w.CODES[what].asks).format(p=person)
    return Found(question, [ABSENT], needed, others, [person], [], (what, person))


KINDS: dict[str, Callable[[Teller], Found]] = {
    "single": _single,
    "several": _several,
    "share": _share,
    "latest": _latest,
    "hop": _hop,
    "hops": lambda t: _hop(t, 2),
    "count": lambda t: _parcels(t, "count"),
    "count to": lambda t: _parcels(t, "count to"),
    "sum": lambda t: _parcels(t, "sum"),
    "last": lambda t: _parcels(t, "last"),
    "heaviest": lambda t: _parcels(t, "heaviest"),
    "without": _without,
    "absent": _absent,
}
"""Kind of question -> what draws it."""
