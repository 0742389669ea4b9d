"""The state of a game under way: where everything is, what has happened, what is seen, what rules say."""

from __future__ import annotations

from typing import Any

from acgym.types import Json

YOU = "you"
"""Place of what is carried."""
WORN = "worn"
"""Place of what is worn."""
GONE = "gone"
"""Place of what was used up."""


class World:
    """A game's state: one place for each thing, one set of flags, and what rests on both.

    Args:
        data: the game as :mod:`acgym.envs.world.adventure.game` draws it; never changed.
    """

    def __init__(self, data: Json) -> None:
        self.data = data
        self.rooms: dict[str, Any] = data["rooms"]
        self.things: dict[str, Any] = data["things"]
        self.here: str = data["start"]
        self.at: dict[str, str] = {name: thing["at"] for name, thing in self.things.items()}
        self.flags: set[str] = set()
        self.fuel = 0
        self.pulled: list[str] = []
        self.seen: set[str] = {self.here}
        self.rules: dict[tuple[str, str], list[Any]] = {}
        for rule in data["rules"]:
            self.rules.setdefault((rule["first"], rule["second"]), []).append(rule)
        self.words: dict[str, frozenset[str]] = {name: frozenset(plain(name)) for name in self.things}
        self.exact: dict[str, str] = {" ".join(plain(name)): name for name in self.things}

    @property
    def lit(self) -> bool:
        """Whether there is light where you are."""
        if not self.rooms[self.here]["dark"]:
            return True
        lamp = self.data["lamp"]
        return "lit" in self.flags and self.at[lamp["name"]] in (YOU, self.here)

    def holds(self, name: str) -> bool:
        """Whether you carry or wear a thing."""
        return self.at[name] in (YOU, WORN)

    def is_open(self, name: str) -> bool:
        """Whether one sees what is in a container; what was never closed is open."""
        return not self.things[name].get("closed") or f"open:{name}" in self.flags

    def sees(self, name: str) -> bool:
        """Whether a thing is carried, or here in the light, or in an open container; a lamp can be felt in the dark."""
        place = self.at[name]
        if place in (YOU, WORN):
            return True
        if place == self.here:
            return self.lit or (self.data["lamp"] is not None and name == self.data["lamp"]["name"])
        return place in self.things and self.is_open(place) and self.at[place] == self.here and self.lit

    def visible(self) -> list[str]:
        """Name all that is seen."""
        return [name for name in self.at if self.sees(name)]

    def resolve(self, words: tuple[str, ...]) -> str | list[str]:
        """Return the visible thing that words mean, or all that they may mean: none, or several."""
        name = self.exact.get(" ".join(words))
        if name is not None and self.sees(name):
            return name
        if not words:
            return []
        seen, asked = self.visible(), frozenset(words)
        found = [name for name in seen if asked <= self.words[name]]
        found = found or [name for name in seen if self.words[name] <= asked]
        found = found or [name for name in seen if plain(name)[-1] == words[-1]]
        if len(found) > 1:
            found = [name for name in found if plain(name)[-1] == words[-1]] or found
        return found[0] if len(found) == 1 else found

    def true(self, condition: str) -> bool:
        """Say whether a condition of a rule holds: a flag, ``!flag``, ``has:X``, ``worn:X`` or ``lit``."""
        if condition in self.flags:
            return True
        if condition[0] == "!":
            return not self.true(condition[1:])
        if condition.startswith("has:"):
            return self.holds(condition[4:])
        if condition.startswith("worn:"):
            return self.at[condition[5:]] == WORN
        return False

    def apply(self, effects: list[list[str]]) -> str:
        """Carry out what a rule does: set or clear a flag, move a thing, fill the lamp, set free what a place hides.

        Returns:
            A sentence about what came to light, with a space before it, or nothing.
        """
        found: list[str] = []
        for effect in effects:
            if effect[0] == "set":
                self.flags.add(effect[1])
            elif effect[0] == "clear":
                self.flags.discard(effect[1])
            elif effect[0] == "move":
                self.at[effect[1]] = self.here if effect[2] == "here" else effect[2]
                self.note()
            elif effect[0] == "free":
                for name, place in self.at.items():
                    if place == effect[1]:
                        self.at[name] = self.here if effect[2] == "here" else effect[2]
                        found.append(article(name))
                self.note()
            elif effect[0] == "fuel":
                self.fuel = self.data["lamp"]["burn"]
        if not found:
            return ""
        held = effects[-1][-1] == YOU
        return f" {'You now have' if held else 'There you find'} {' and '.join(found)}."

    def note(self) -> None:
        """Remember which of the things that count have been in your hands."""
        for name in self.data["marks"]:
            if self.at[name] in (YOU, WORN):
                self.flags.add(f"held:{name}")

    def look_around(self) -> None:
        """Remember that a dark room has been seen with light."""
        if self.rooms[self.here]["dark"] and self.lit:
            self.flags.add(f"saw:{self.here}")

    def share(self) -> float:
        """Return the share of the game's facts that have come true."""
        facts = self.data["facts"]
        return sum(fact in self.flags for fact in facts) / len(facts)

    def tick(self) -> str:
        """Let a move pass: a burning lamp uses fuel. Return what is noticed."""
        if "lit" not in self.flags:
            return ""
        self.fuel -= 1
        name = self.data["lamp"]["name"]
        if self.fuel == 0:
            self.flags.discard("lit")
            return f"The {name} goes out: it is empty."
        return (
            f"The {name} flickers: it will burn for {self.fuel} more move{'s' if self.fuel > 1 else ''}."
            if self.fuel <= 3
            else ""
        )

    def way(self, direction: str) -> Any:
        """Return ``[room, flags, sentence, mark]`` of a direction, or None."""
        return self.rooms[self.here]["exits"].get(direction)

    def passable(self, exit_: Any) -> bool:
        """Whether an exit can be gone through now."""
        return not exit_[1] or any(self.true(flag) for flag in exit_[1])

    def state(self) -> tuple[object, ...]:
        """Return the whole state as a value that can be compared and hashed."""
        return (self.here, tuple(self.at.values()), frozenset(self.flags), self.fuel, tuple(self.pulled))

    def describe(self, whole: bool = True) -> str:
        """Say the room: its prose if ``whole``, what stands in the way, what is here, the exits."""
        room = self.rooms[self.here]
        exits = "Exits: " + ", ".join(self._say_exit(way, exit_) for way, exit_ in room["exits"].items()) + "."
        if not self.lit:
            return f"{self.here}\nIt is pitch dark here. You see nothing.\n{exits}"
        rows, parts = [], []
        for name, place in self.at.items():
            if place != self.here:
                continue
            thing = self.things[name]
            if thing.get("line"):
                rows.append(thing["done"] if thing.get("flag") in self.flags else thing["line"])
            parts.append(self._say_thing(name, thing))
        head = f"{self.here}\n{room['text']}" if whole else self.here
        here = "Here: " + ", ".join(parts) + "." if parts else "Nothing lies here."
        return "\n".join([head, *rows, here, exits])

    def _say_exit(self, way: str, exit_: Any) -> str:
        if self.passable(exit_):
            return f"{way} ({exit_[0]})" if exit_[0] in self.seen else way
        return f"{way} (barred)"

    def _say_thing(self, name: str, thing: Any) -> str:
        if not thing.get("box"):
            return article(name)
        if not self.is_open(name):
            return f"{article(name)} (closed)"
        inside = [article(other) for other, place in self.at.items() if place == name]
        return f"{article(name)} (in it: {', '.join(inside) if inside else 'nothing'})"

    def carried(self) -> str:
        """Say what you carry and wear."""
        parts = [article(name) for name, place in self.at.items() if place == YOU]
        worn = [f"{article(name)} (worn)" for name, place in self.at.items() if place == WORN]
        return "You carry " + ", ".join([*parts, *worn]) + "." if parts or worn else "You carry nothing."


_ONLY = frozenset(
    ("last", "lost", "lowest", "middle", "upper", "great", "founder's", "grandmother's", "abbot's", "miller's")
)
"""First words of names of which there is one only."""
_SKIP = frozenset(("the", "a", "an", "of", "with", "in", "on", "and", "for", "to"))


def plain(name: str) -> list[str]:
    """Return the words of a name that the parser keeps."""
    return [word for word in name.lower().replace("-", " ").split() if word not in _SKIP]


def article(name: str) -> str:
    """Put "a" or "an" before a name, or nothing before a plural or what has its own."""
    if name.split()[0] in _ONLY:
        return f"the {name}"
    last = name.split(" of ")[0].split()[-1]
    if last.endswith("s") and not last.endswith(("ss", "us", "lens", "glass", "compass")):
        return f"some {name}"
    return f"{'an' if name[0] in 'aeiouAEIOU' and not name.startswith('one') else 'a'} {name}"
