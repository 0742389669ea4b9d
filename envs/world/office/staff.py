"""The office itself: its people, customers, suppliers, dates, and the texts that jobs add to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from acgym.draw import Draw
from acgym.envs.names import words
from acgym.envs.spoken import FIRST_NAMES, LAST_NAMES, MONTHS
from acgym.types import Json, Split

T = TypeVar("T")

_TEAMS = words("Sales Workshop Logistics Design Testing Purchasing Service Training")
_ROLES = ("finance director", "press officer", "legal counsel", "bookkeeper")
_COMPANIES = words(
    "Alder Mills,Birchwood Foods,Cobalt Marine,Delta Optics,Elm Street Bakery,Fjord Textiles,Garnet Tools,"
    "Harbour Glass,Ivory Press,Juniper Farms,Kestrel Bikes,"
    "Lagoon Pools,Meadow Dairy,Nimbus Travel,Orchard Cider,Pebble Toys,"
    "Quarry Stone,Raven Books,Saffron Kitchens,Tundra Coats,Umber Paints,Velvet Theatre,Walnut Furniture,Zephyr Sails",
    ",",
)


def half(items: Sequence[T], split: Split) -> tuple[T, ...]:
    """Return the items of a split: those at even places are for evaluation, the others for training."""
    return tuple(items[0 if split == "eval" else 1 :: 2])


def in_words(day: date) -> str:
    """Write a date as letters do: ``14 March 2029``."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


class Person(NamedTuple):
    """Somebody who works here."""

    name: str
    team: str
    role: str


class Job(NamedTuple):
    """One job of the day."""

    kind: str
    text: str
    """What is asked, as the list of work says it."""
    rows: list[list[Json]]
    """What must hold in the end; see :class:`acgym.envs.world.office.desk.Desk`."""
    reads: list[str]
    """Commands by which an expert finds out what to do."""
    acts: list[str]
    """Commands by which she does it, one for each row, or for two that come together."""


class Office:
    """An office that is being furnished for one task; all choices come from ``draw``."""

    def __init__(self, draw: Draw, split: Split, level: int) -> None:
        self.draw, self.split, self.level = draw, split, level
        self.today = date(draw.between(2031, 2036), draw.between(3, 10), draw.between(3, 28))
        firsts, lasts = draw.sample(half(FIRST_NAMES, split), 12), draw.sample(half(LAST_NAMES, split), 12)
        names = [f"{first} {last}" for first, last in zip(firsts, lasts, strict=True)]
        teams = draw.sample(half(_TEAMS, split), 3)
        people = [Person(name, team, f"head of {team}") for name, team in zip(names, teams, strict=False)]
        people += [Person(name, "Office", role) for name, role in zip(names[3:], _ROLES, strict=False)]
        people += [Person(name, teams[i % 3], "") for i, name in enumerate(names[7:])]
        self.people = draw.shuffled(people)
        self.companies = draw.shuffled(half(_COMPANIES, split))
        self.files: dict[str, str] = {}
        self.folders = ["/shred", "/reports", "/tmp"]
        self.tickets: list[str] = []
        self.mail: list[str] = []
        self.templates: list[str] = []
        rows = [f"{one.name},{one.team},{one.role}" for one in self.people]
        self.files["/staff/people.csv"] = "\n".join(["name,team,role", *rows, ""])
        self.made: dict[str, Any] = {}
        """What jobs share, such as the lists in /data."""
        self._number = draw.between(100, 400)

    def with_role(self, role: str) -> str:
        """Return the name of who has a role."""
        return next(one.name for one in self.people if one.role == role)

    def say(self, evaluation: Sequence[str], training: Sequence[str]) -> str:
        """Draw one of the wordings of the split."""
        return self.draw.pick(evaluation if self.split == "eval" else training)

    def number(self) -> int:
        """Return a number that no other document of the office has."""
        self._number += self.draw.between(1, 9)
        return self._number

    def days_ago(self, low: int, high: int) -> date:
        """Draw a day so many days before today; negative ones are after it."""
        return self.today - timedelta(self.draw.between(low, high))

    def handbook(self, name: str, text: str) -> str:
        """Write a chapter of the handbook; return its path."""
        path = f"/handbook/{name}.txt"
        self.files[path] = text
        return path
