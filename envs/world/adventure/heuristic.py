"""The simple heuristic of interactive fiction: explore all, take all, use everything on everything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_ARTICLE = re.compile(r"^(?:an?|some|the) ")
_INSIDE = re.compile(r" \((?:closed|in it: nothing)\)")
_IN_IT = re.compile(r" \(in it: ([^)]*)\)")
_FOUND = re.compile(r"(There you find|You now have|In it:) ([^.\n]+)\.")
_EXIT = re.compile(r"(north|south|east|west|up|down)(?: \(([^)]*)\))?")
_FAILED = re.compile(
    r"Nothing happens|does not|do not|cannot|Which do you mean|You see no|locked|rattles|firm|no sense|Give things"
)


class Explorer:
    """What has been heard so far, and what has been tried; it knows no puzzle and reads no sentence."""

    def __init__(self) -> None:
        self.heard = 0
        self.here = ""
        self.exits: dict[str, dict[str, str]] = {}
        self.things: dict[str, list[str]] = {}
        self.fixed: set[str] = set()
        self.closed: set[str] = set()
        self.held: list[str] = []
        self.tried: set[tuple[str, str]] = set()
        self.stale = False
        self.dark: set[str] = set()

    def reply(self, told: Sequence[str], replies: Sequence[str]) -> str:
        """Take in what is new and return the next command."""
        while self.heard < len(told):
            done = replies[self.heard - 1] if 0 < self.heard <= len(replies) else ""
            self._hear(told[self.heard], done.removeprefix("Action: "))
            self.heard += 1
        return f"Action: {self._next()}"

    def _hear(self, text: str, done: str) -> None:
        self.tried.add((self.here, done))
        name = done.partition(" ")[2]
        before = self.here
        if "\nExits: " in text:
            self._room(text.rpartition("\n\n")[2], before, done)
        elif done.startswith("take "):
            if text.startswith("You take"):
                self.held.append(name)
                self.things[before] = [thing for thing in self.things.get(before, []) if thing != name]
            else:
                self.fixed.add(name)
        for found in _FOUND.finditer(text):
            names = [bare(part) for part in re.split(r", | and ", found[2]) if part != "nothing"]
            where = self.held if found[1] == "You now have" else self.things.setdefault(self.here, [])
            where.extend(part for part in names if part not in where)
        self.stale = done.startswith("use ") and not _FAILED.search(text)

    def _room(self, text: str, before: str, done: str) -> None:
        lines = text.split("\n")
        self.here = lines[0]
        prose = " ".join(line for line in lines[1:] if not line.startswith(("Here: ", "Exits: "))).lower()
        (self.dark.add if "pitch dark" in prose else self.dark.discard)(self.here)
        for line in lines:
            if line.startswith("Exits: "):
                known = {way: to for way, to in self.exits.get(self.here, {}).items() if to != "barred"}
                self.exits[self.here] = {way: seen or known.get(way, "") for way, seen in _EXIT.findall(line[7:])}
            elif line.startswith("Here: "):
                inside = [name for row in _IN_IT.findall(line) for name in row.split(", ") if name != "nothing"]
                plain = _IN_IT.sub("", _INSIDE.sub("", line[6:].rstrip(".")))
                self.things[self.here] = [bare(name) for name in (*plain.split(", "), *inside)]
                self.closed.update(bare(name[:-9]) for name in line[6:-1].split(", ") if name.endswith(" (closed)"))
                self.fixed.update(name for name in self.things[self.here] if name.split()[-1] in prose)
        if done.startswith("go ") and before in self.exits and before != self.here:
            self.exits[before][done[3:]] = self.here

    def _next(self) -> str:
        if self.stale:
            return "look"
        queue, ways = [self.here], {self.here: ""}
        pairs = ""
        for room in queue:
            first = next(self._work(room), "")
            if first:
                return ways[room] or first
            if not pairs and next(self._pairs(room), ""):
                pairs = ways[room] or next(self._pairs(room))
            for way, to in self.exits.get(room, {}).items():
                if to and to != "barred" and to not in ways:
                    ways[to] = ways[room] or f"go {way}"
                    queue.append(to)
        return pairs or "look"

    def _work(self, room: str) -> Iterator[str]:
        """Say what is left to be done in a room: take, open, light, ways that nobody went, examine."""
        for name in self.things.get(room, []):
            if name in self.closed and (room, f"open {name}") not in self.tried:
                yield f"open {name}"
            if name not in self.fixed and name not in self.closed and (room, f"take {name}") not in self.tried:
                yield f"take {name}"
        if room in self.dark:
            for item in self.held:
                if (room, f"light {item}") not in self.tried:
                    yield f"light {item}"
        for way, to in self.exits.get(room, {}).items():
            if not to and (room, f"go {way}") not in self.tried:
                yield f"go {way}"

    def _pairs(self, room: str) -> Iterator[str]:
        """Say what may be tried in a room once all is taken: use where a way is barred, examine, pull, use."""
        barred = "barred" in self.exits.get(room, {}).values()
        for thing in self.things.get(room, []):
            for item in self.held if barred else ():
                if (room, f"use {item} on {thing}") not in self.tried:
                    yield f"use {item} on {thing}"
        for verb in ("examine", "pull"):
            for thing in self.things.get(room, []):
                if (room, f"{verb} {thing}") not in self.tried:
                    yield f"{verb} {thing}"
        for thing in self.things.get(room, []):
            for item in self.held:
                if (room, f"use {item} on {thing}") not in self.tried:
                    yield f"use {item} on {thing}"


def bare(name: str) -> str:
    """Take the article off a name."""
    return _ARTICLE.sub("", name.strip())
