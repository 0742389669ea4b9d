"""Builds a game step by step: rooms on a map, things in rooms, rules, facts, and the plan of an expert."""

from __future__ import annotations

from typing import Any

from acgym.draw import Draw
from acgym.envs.world.adventure.setting import Setting
from acgym.envs.world.adventure.verbs import BACK
from acgym.envs.world.adventure.world import article
from acgym.types import Json, Split

STEPS = {
    "north": (0, 1, 0), "south": (0, -1, 0), "east": (1, 0, 0), "west": (-1, 0, 0), "up": (0, 0, 1), "down": (0, 0, -1),
}  # fmt: skip
LEVEL = ("north", "south", "east", "west")
PAPERS = tuple(
    (name, "Somebody wrote on it in haste.")
    for name in ("crumpled note", "torn envelope", "pencilled card", "grey slip", "ruled sheet", "blotted page")
)
"""More papers, where those of a setting do not suffice."""


class Builder:
    """A game that is being made.

    ``place`` is where the next puzzle must put what it cannot do without: a room that the last puzzle opened, or what
    that puzzle sets free. So no puzzle can be left out.
    """

    def __init__(self, draw: Draw, setting: Setting, split: Split, level: int) -> None:
        self.draw, self.setting, self.split, self.level = draw, setting, split, level
        self.rooms: dict[str, Any] = {}
        self.things: dict[str, Any] = {}
        self.rules: list[Any] = []
        self.facts: list[str] = []
        self.marks: list[str] = []
        self.plan: list[Any] = []
        self.lamp: Any = None
        self.tool: str | None = None
        self.features: dict[str, str] = {}
        self.place = ""
        self.count = 0
        self._at: dict[str, tuple[int, int, int]] = {}
        self._stock: dict[str, list[tuple[str, ...]]] = {}

    def next(self, part: str) -> tuple[str, ...]:
        """Take a row of the setting that was not taken yet."""
        if part not in self._stock:
            self._stock[part] = self.draw.shuffled(self.setting.rows[part])
        if not self._stock[part] and part == "paper":
            self._stock[part] = self.draw.shuffled(PAPERS)
        return self._stock[part].pop()

    def left(self, part: str) -> int:
        """Return how many rows of a part are left."""
        return len(self._stock[part]) if part in self._stock else len(self.setting.rows.get(part, ()))

    # rooms

    def room(
        self, base: str | None, way: str = "", flags: tuple[str, ...] = (), barred: str = "", mark: str = ""
    ) -> str:
        """Add a room beside ``base``; without one it is the first. The way in may ask for one of several flags."""
        name, text, feature, fixture, look, _ = self.next("room")
        self.features[name] = feature
        self._join(name, text, base, way, flags, barred, mark, dark=False)
        self.add(fixture, name, look)
        return name

    def dark_room(self) -> str:
        """Add a dark room that is free to enter."""
        base, way = self.free_way(LEVEL)
        name, text = self.next("dark")
        self._join(name, text, base, way, (), "", "", dark=True)
        return name

    def _join(
        self,
        name: str,
        text: str,
        base: str | None,
        way: str,
        flags: tuple[str, ...],
        barred: str,
        mark: str,
        dark: bool,
    ) -> None:
        self.rooms[name] = {"text": text, "dark": dark, "exits": {}}
        if base is None:
            self._at[name] = (0, 0, 0)
            return
        self._at[name] = self._beside(base, way)
        self.rooms[base]["exits"][way] = [name, list(flags), barred, mark]
        self.rooms[name]["exits"][BACK[way]] = [base, [], "", ""]

    def _beside(self, room: str, way: str) -> tuple[int, int, int]:
        x, y, z = self._at[room]
        dx, dy, dz = STEPS[way]
        return x + dx, y + dy, z + dz

    def free_way(self, ways: tuple[str, ...], among: list[str] | None = None) -> tuple[str, str]:
        """Draw a room that can be reached and a direction in which nothing lies yet."""
        rooms = self.lighted() if among is None else among
        taken = set(self._at.values())
        found = [
            (room, way)
            for room in rooms
            for way in ways
            if way not in self.rooms[room]["exits"] and self._beside(room, way) not in taken
        ]
        if not found:
            return self.free_way((*LEVEL, "up", "down"), self.lighted())
        return self.draw.pick(found)

    def grow(self, base: str, way: str, flags: tuple[str, ...], barred: str, size: int, mark: str = "") -> None:
        """Add the rooms behind a gate; the last one is the next ``place``."""
        region = [self.room(base, way, flags, barred, mark)]
        for _ in range(size - 1):
            region.append(self.room(*self.free_way(LEVEL, region)))
        self.place = region[-1]

    def lighted(self) -> list[str]:
        """Name the rooms so far in which one sees."""
        return [name for name, room in self.rooms.items() if not room["dark"]]

    # things

    def add(self, name: str, at: str, text: str, **more: Json) -> str:
        """Add a thing; ``take=True`` if it can be carried."""
        if name in self.things:
            raise ValueError(f"the setting {self.setting.title!r} has {name!r} twice")
        self.things[name] = {"at": at, "text": text, **more}
        return name

    def item(self, row: tuple[str, ...], at: str, **more: Json) -> str:
        """Add what can be carried."""
        return self.add(row[0], at, row[1], take=True, **more)

    def need(self, row: tuple[str, ...], **more: Json) -> str:
        """Add what the puzzle under way cannot do without, where the last puzzle leads; to hold it is a fact."""
        name = self.item(row, self.place, **more)
        self.marks.append(name)
        self.step(None, f"take {name}", [self.fact(f"held:{name}")], (name,))
        return name

    def somewhere(self) -> str:
        """Draw a place for a thing that helps: a room that can be reached, from level 2 on also a closed box in it."""
        room = self.draw.pick(self.lighted())
        if self.level >= 2 and self.left("box") and self.draw.chance(0.3):
            name, text = self.next("box")
            return self.add(name, room, text, box=True, closed=True)
        return room

    def rule(
        self,
        verbs: str,
        first: str,
        second: str,
        when: list[str],
        do: list[list[str]],
        say: str,
        error: str | None = None,
    ) -> None:
        """Add what happens when a thing is done to ``first`` (with ``second``); rules before it go first."""
        self.rules.append(
            {"verbs": verbs.split(), "first": first, "second": second, "if": when, "do": do, "say": say, "error": error}
        )

    def fact(self, flag: str) -> str:
        """Count a flag as a fact of the game."""
        self.facts.append(flag)
        return flag

    def flag(self, kind: str) -> str:
        """Return a new flag for the solving of a puzzle, which is a fact."""
        self.count += 1
        return self.fact(f"{kind}:{self.count}")

    def step(self, room: str | None, do: str, done: list[str], needs: tuple[str, ...] = (), **more: Json) -> None:
        """Add a step of the plan: where, what, when it is done, what must be in hand."""
        self.plan.append({"room": room, "do": do, "done": done, "needs": list(needs), **more})

    # clues

    def clue(self, text: str, topic: str, at: str) -> str:
        """Tell something that a puzzle needs: on a paper, or, in a room, by a person who is asked about a topic.

        Returns:
            The flag, a fact, that is set when it has been read or heard.
        """
        flag = self.flag("clue")
        if at in self.rooms and not self.rooms[at]["dark"] and self.left("person") > 4 and self.draw.chance(0.4):
            person, look, idle = self.next("person")
            hint = f'The {person} says: "{idle} If it is about the {topic}, ask."'
            topics = {topic: {"do": [["set", flag]], "say": f'The {person} says: "{text}"'}}
            self.add(person, at, look, person=True, talk=hint, topics=topics)
            self.step(at, f"ask {person} about {topic}", [flag])
            return flag
        paper, look = self.next("paper")
        self.item((paper, look), at)
        self.rule("examine", paper, "", [], [["set", flag]], f'{look} It says: "{text}"')
        self.step(None, f"read {paper}", [flag], (paper,))
        return flag

    def person(self, at: str, talk: str, **more: Json) -> str:
        """Add a person who says ``talk``, with ``{who}`` for the person."""
        name, look, _ = self.next("person")
        self.add(name, at, look, person=True, talk=talk.replace("{who}", name), **more)
        return name

    def hide(self, room: str) -> tuple[str, str]:
        """Return the fixture of a room and where a thing is hidden there ("under the table")."""
        row = next(row for row in self.setting.rows["room"] if row[0] == room)
        return row[3], f"{row[5]} the {row[3]}"

    def some(self, rows: list[tuple[str, ...]]) -> None:
        """Scatter things that nobody needs."""
        for row in rows:
            self.item(row, self.somewhere())


def bar(b: Builder, name: str, base: str, look: str, way: str, flag: str, line: str, done: str) -> None:
    """Add what stands in a way, with the sentences that say so before and after it is solved."""
    b.add(name, base, look, flag=flag, line=line, done=done, done_text=done)


def a(name: str) -> str:
    """Put the article before a name."""
    return article(name)
