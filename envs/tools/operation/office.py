"""Draws the office in which a task plays: people, messages, events, sheets and tickets; and says its days in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from acgym.draw import Draw
from acgym.envs.spoken import MONTHS
from acgym.envs.tools.operation.functions import PRIORITIES
from acgym.envs.tools.operation.pools import (
    CITIES,
    COURSES,
    CUSTOMERS,
    EVENTS,
    ITEMS,
    NOTES,
    ROOMS,
    SENTENCES,
    SUBJECTS,
    TEXTS,
    TICKETS,
)  # fmt: skip
from acgym.envs.tools.operation.world import State, copied
from acgym.envs.tools.query.evaluate import compared
from acgym.envs.tools.query.pools import FIRST_NAMES, LAST_NAMES
from acgym.envs.tools.query.stock import share
from acgym.envs.tools.voices import kept
from acgym.types import Json, Split

SHEETS: dict[str, tuple[str, ...]] = {
    "Stock": ("item", "count", "minimum", "shelf"),
    "Orders": ("item", "supplier", "euros", "state"),
    "Trips": ("person", "city", "euros", "approved"),
    "Training": ("person", "course", "hours", "passed"),
}
"""Sheet -> its columns; the first one names a row."""
NUMBERS = ("count", "minimum", "euros", "hours")
"""Columns of numbers."""
SIZE = {1: 6, 2: 8, 3: 10, 4: 13, 5: 16}
"""Messages, and tickets; events are two fewer."""
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"

Conditions = list[list[Json]]
"""``[column, comparison, value]`` each, as in :func:`acgym.envs.tools.query.evaluate.compared`."""


@dataclass
class Office:
    """One office, and which of its things a task has taken up."""

    draw: Draw
    split: Split
    level: int
    apps: tuple[str, ...]
    today: date = date(2031, 3, 4)
    people: list[str] = field(default_factory=list)
    sheets: dict[str, list[str]] = field(default_factory=dict)
    state: State = field(default_factory=dict)
    now: State = field(default_factory=dict)
    """The state after the jobs so far."""
    used: set[str] = field(default_factory=set)

    def pool(self, items: tuple[str, ...]) -> tuple[str, ...]:
        """Return the items of this split."""
        return share(items, self.split)

    def open(self) -> None:
        """Draw everything."""
        draw = self.draw
        self.today = date(2031, 1, 6) + timedelta(days=draw.between(0, 300))
        while self.today.weekday() > 3:
            self.today += timedelta(days=1)
        lasts = draw.sample(self.pool(LAST_NAMES), 9)
        self.people = [f"{draw.pick(FIRST_NAMES)} {last}" for last in lasts]
        count = SIZE[self.level]
        self.state = {"mail": {}, "event": {}, "row": {}, "ticket": {}}
        if "mail" in self.apps:
            self._mails(count)
        if "calendar" in self.apps:
            self._events(count - 2)
        if "sheets" in self.apps:
            self._rows()
        if "tickets" in self.apps:
            self._tickets(count)
        self.now = copied(self.state)

    def other(self, *but: str) -> str:
        """Return a person who is none of those."""
        return self.draw.pick([person for person in self.people if person not in but])

    def fresh(self, table: str, conditions: Conditions | None = None) -> str | None:
        """Return a row that no job is about yet; None if there is none."""
        found = [key for key in self.meant(table, conditions or []) if key not in self.used]
        return self.draw.pick(found) if found else None

    def meant(self, table: str, conditions: Conditions) -> list[str]:
        """Return the rows that conditions mean."""
        return meant(self.state, table, conditions)

    def take(self, table: str, conditions: Conditions) -> list[str] | None:
        """Return the rows that conditions mean and take them up; None if a job did so or changed what is meant."""
        found = self.meant(table, conditions)
        if self.used & set(found) or meant(self.now, table, conditions) != found:
            return None
        self.used |= set(found)
        return found

    def slot(self) -> tuple[str, str, str]:
        """Return a day in the coming week and a half, a full or half hour and a room that nothing is in."""
        busy = {(e["day"], e["room"]) for state in (self.state, self.now) for e in state["event"].values()}
        while True:
            day = self.workday(self.draw.between(1, 9))
            room = self.draw.pick(self.pool(ROOMS))
            if (day, room) not in busy:
                return day, f"{self.draw.between(9, 15):02}:{self.draw.pick(('00', '30'))}", room

    def workday(self, after: int) -> str:
        """Return the first working day so many days from today."""
        day = self.today + timedelta(days=after)
        while day.weekday() > 4:
            day += timedelta(days=1)
        return day.isoformat()

    def say_day(self, iso: str) -> str:
        """Say a day: as the tools write it up to level 2, then as people do."""
        if self.level < 3:
            return kept(iso)
        day = date.fromisoformat(iso)
        gap = (day - self.today).days
        forms = [f"{day.day} {MONTHS[day.month - 1]}"]
        if gap == 1:
            forms.append("tomorrow")
        if 1 < gap < 8 and self.level > 3:
            forms.append(_WEEKDAYS.split()[day.weekday()])
        if 1 < gap < 10 and self.level > 3:
            forms.append(f"the day that is {gap} days from today")
        return kept(self.draw.pick(forms))

    def _ids(self, letter: str, count: int) -> list[str]:
        return [f"{letter}{number}" for number in self.draw.sample(range(100, 900), count)]

    def _mails(self, count: int) -> None:
        draw = self.draw
        subjects = draw.sample(self.pool(SUBJECTS), max(4, count * 2 // 3))
        ages = draw.sample(range(1, 60), count)
        for key, age in zip(self._ids("M", count), ages, strict=True):
            self.state["mail"][key] = {
                "folder": draw.pick(("inbox", "inbox", "inbox", "archive", "contracts", "travel")),
                "from": draw.pick(self.people[:6]), "to": "me", "subject": draw.pick(subjects),
                "date": (self.today - timedelta(days=age)).isoformat(), "text": draw.pick(TEXTS),
                "unread": draw.chance(0.4), "starred": False,
            }  # fmt: skip

    def _events(self, count: int) -> None:
        draw = self.draw
        titles = draw.sample(self.pool(EVENTS), count if self.level < 3 else count * 3 // 4)
        places: set[tuple[str, str]] = set()
        for i, key in enumerate(self._ids("E", count)):
            place = self.workday(draw.between(1, 9)), draw.pick(self.pool(ROOMS))
            while place in places:
                place = self.workday(draw.between(1, 9)), draw.pick(self.pool(ROOMS))
            places.add(place)
            self.state["event"][key] = {
                "title": titles[i] if i < len(titles) else draw.pick(titles), "day": place[0],
                "start": f"{draw.between(9, 15):02}:{draw.pick(('00', '30'))}", "minutes": draw.pick((30, 45, 60, 90)),
                "room": place[1], "people": draw.sample(self.people, draw.between(2, 5)),
            }  # fmt: skip

    def _rows(self) -> None:
        draw = self.draw
        names = draw.sample(tuple(SHEETS), 2 if self.level < 3 else 3)
        self.sheets = {name: list(SHEETS[name]) for name in names}
        for name in names:
            count = draw.between(4, 5) if self.level < 3 else draw.between(6, 8)
            labels = draw.sample(self.people if "person" in SHEETS[name] else self.pool(ITEMS), count)
            for key, label in zip(self._ids(f"R{name[0]}", count), labels, strict=True):
                self.state["row"][key] = {"sheet": name, **self.cells(name, label)}

    def cells(self, sheet: str, label: str) -> dict[str, Json]:
        """Draw the cells of a row."""
        draw = self.draw
        made: dict[str, Json] = {
            "count": draw.between(0, 60), "minimum": draw.between(1, 8) * 5, "euros": draw.between(4, 90) * 10,
            "shelf": f"{draw.pick('ABCDEF')}{draw.between(1, 9)}", "supplier": draw.pick(self.pool(CUSTOMERS)),
            "state": draw.pick(("ordered", "delivered", "paid")), "city": draw.pick(self.pool(CITIES)),
            "approved": draw.pick(("yes", "no")), "course": draw.pick(self.pool(COURSES)),
            "hours": draw.between(2, 16), "passed": draw.pick(("yes", "no")),
        }  # fmt: skip
        return {SHEETS[sheet][0]: label, **{column: made[column] for column in SHEETS[sheet][1:]}}

    def _tickets(self, count: int) -> None:
        draw = self.draw
        titles = draw.sample(self.pool(TICKETS), count)
        customers = draw.sample(self.pool(CUSTOMERS), max(4, count // 2))
        dues = draw.sample(range(1, 60), count)
        for key, title, due in zip(self._ids("T", count), titles, dues, strict=True):
            self.state["ticket"][key] = {
                "title": title, "customer": draw.pick(customers), "priority": draw.pick(PRIORITIES),
                "assignee": draw.pick(self.people[3:]), "due": (self.today + timedelta(days=due)).isoformat(),
                "status": draw.pick(("open", "open", "waiting", "solved")),
                "notes": [draw.pick(self.pool(NOTES))] if draw.chance(0.4) else [], "answers": [],
            }  # fmt: skip

    def sentence(self, pool: tuple[str, ...] = SENTENCES) -> str:
        """Return a sentence to send, without its period."""
        return self.draw.pick(self.pool(pool))


def meant(state: State, table: str, conditions: Conditions) -> list[str]:
    """Return the ids of the rows of a table that meet all conditions; a list has a member with ``has``."""
    return [key for key, row in state[table].items() if all(_meets(row.get(c), how, v) for c, how, v in conditions)]


def _meets(value: Json, how: str, wanted: Json) -> bool:
    return wanted in value if isinstance(value, list) else compared(value, how, wanted)


@cache
def weekday(iso: str) -> str:
    """Return the name of a day of the week."""
    return _WEEKDAYS.split()[date.fromisoformat(iso).weekday()]


def long_date(iso: str) -> str:
    """Write a day as ``Tuesday, 4 March 2031``."""
    day = date.fromisoformat(iso)
    return f"{weekday(iso)}, {day.day} {MONTHS[day.month - 1]} {day.year}"
