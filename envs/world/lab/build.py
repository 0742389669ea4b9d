"""Builds the data of a laboratory: rooms, things laid out in them, and what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from acgym.draw import Draw
from acgym.envs.world.lab.heat import ROOM, enthalpy_at
from acgym.envs.world.lab.library import substances
from acgym.types import Json, Split

ROOMS = ("chemistry lab", "physics lab", "greenhouse", "storeroom", "workshop", "prep room", "cold room", "library")
CUPBOARDS = ("cupboard", "drawer", "cabinet", "locker", "chest", "crate", "trunk", "closet")
CLUTTER = (
    "stapler", "notebook", "safety goggles", "lab coat", "clipboard", "mop", "radio", "clock", "calendar", "spoon",
    "scissors", "tape", "eraser", "pencil", "broom", "bucket", "umbrella", "gloves", "sponge", "corkscrew", "candle",
    "globe", "magnifier", "slide rule", "tweezers", "test tube rack", "funnel stand", "hammer", "screwdriver", "kettle",
)  # fmt: skip


class Size(NamedTuple):
    """How large a level is."""

    rooms: int
    clutter: int
    cupboards: float
    """Chance that what can be carried lies in a closed cupboard."""
    flawed: bool
    """Whether instruments may be out of adjustment, cells dead and wires broken."""


SIZES = {
    1: Size(1, 2, 0.0, False),
    2: Size(1, 4, 0.0, False),
    3: Size(2, 5, 0.3, False),
    4: Size(3, 7, 0.3, True),
    5: Size(4, 9, 0.4, True),
}


class Build:
    """A laboratory under construction."""

    def __init__(self, draw: Draw, split: Split, level: int) -> None:
        self.draw, self.split, self.level = draw, split, level
        self.size = SIZES[level]
        self.rooms = draw.sample(ROOMS, self.size.rooms)
        self.things: list[dict[str, Json]] = []
        self.goals: list[list[Json]] = []
        self.asks: list[str] = []
        self.kinds: list[str] = []
        self.plans: list[dict[str, Json]] = []
        """What the oracle needs beside the goals, one row a part of the task."""
        self.answer: Json = None
        self.boxes: dict[str, str] = {}
        names = draw.sample(CUPBOARDS, len(self.rooms))
        if self.size.cupboards:
            for room, name in zip(self.rooms, names, strict=True):
                self.boxes[room] = name
                self.things.append({"name": name, "kind": "holder", "at": room, "closed": True})

    def room(self) -> str:
        """Draw a room."""
        return self.draw.pick(self.rooms)

    def add(self, name: str, kind: str, at: str | None = None, **more: Any) -> str:
        """Add a thing where it is said, else in any room or, what can be carried, in a cupboard; once for each name."""
        if any(row["name"] == name for row in self.things):
            return name
        if at is None:
            at = self.room()
            if kind not in ("heater", "holder", "balance", "chart", "pot") and self.draw.chance(self.size.cupboards):
                at = self.boxes[at]
        self.things.append({"name": name, "kind": kind, "at": at, **more})
        return name

    def has(self, kind: str) -> str | None:
        """Return the name of a thing of a kind, if there is one."""
        return next((row["name"] for row in self.things if row["kind"] == kind), None)

    def heaters(self) -> None:
        """Add devices that heat, to be set, and that cool, at a fixed temperature."""
        for name, low, high, top in (
            ("water bath", 20, 95, False), ("hot plate", 20, 350, True), ("furnace", 20, 1200, False)
        ):  # fmt: skip
            if self.level > 1 or name == "hot plate":
                self.add(name, "heater", low=low, high=high, set=ROOM, top=top)
        for name, degrees in (("refrigerator", 4), ("freezer", -18), ("dry ice box", -78), ("liquid nitrogen", -196)):
            if self.level > 1 or name in ("freezer", "dry ice box"):
                self.add(name, "heater", low=degrees, high=degrees, set=degrees)

    def sample(self, name: str, of: str, **more: Any) -> str:
        """Add a sample of a pure substance at the temperature of the room."""
        enthalpy = enthalpy_at(substances()[of], ROOM)
        return self.add(name, "sample", of=of, enthalpy=enthalpy, grams=self.draw.between(10, 60), **more)

    def thermometer(self) -> None:
        """Add a thermometer; a faulty one is shown by a mixture of ice and water, which is at 0 degrees Celsius."""
        unit = "C" if self.level < 3 else self.draw.pick(("F", "K", "C"))
        off = self.draw.pick((-6, -5, -4, 4, 5, 6, 7)) if self.size.flawed else 0
        self.add("thermometer", "thermometer", unit=unit, off=off)
        if self.size.flawed:
            self.add("ice water", "vessel", contents={"water": 500.0}, degrees=0.0, stock=True, label="ice and water")

    def balance(self) -> None:
        """Add a balance; a faulty one does not show 0 with nothing on it."""
        unit = "g" if self.level < 3 else self.draw.pick(("oz", "kg"))
        zero = self.draw.pick((-8.5, -6.2, 5.4, 7.9, 9.6, 12.3)) if self.size.flawed else 0.0
        self.add("balance", "balance", unit=unit, zero_g=zero)

    def book(self, rows: Sequence[str]) -> str:
        """Add a handbook, or rows to the one that is there."""
        found = next((row for row in self.things if row["kind"] == "book"), None)
        if found is None:
            self.add("handbook", "book", text="\n".join(rows))
        else:
            found["text"] += "\n" + "\n".join(rows)
        return "handbook"

    def say(self, kind: str, text: str, **plan: Json) -> None:
        """Add what is asked, after its subgoals, and what the oracle needs to know for it."""
        told = sum(len(row["goals"]) for row in self.plans)
        self.kinds.append(kind)
        self.asks.append(text)
        self.plans.append({"kind": kind, "goals": self.goals[told:], **plan})

    def clutter(self) -> None:
        """Add things of no use."""
        for name in self.draw.sample(CLUTTER, self.size.clutter):
            self.add(name, "clutter")

    def data(self) -> dict[str, Json]:
        """Return the laboratory as data, its things in an order that tells nothing."""
        fixed = [row for row in self.things if row["kind"] in ("heater", "holder", "balance")]
        loose = [row for row in self.things if row["kind"] not in ("heater", "holder", "balance")]
        return {
            "rooms": self.rooms,
            "start": self.rooms[0],
            "things": [*self.draw.shuffled(fixed), *self.draw.shuffled(loose)],
            "goals": self.goals,
            "answer": self.answer,
            "plans": self.plans,
            "salt": self.draw.below(10**6),
        }
