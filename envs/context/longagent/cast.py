"""Who and what an episode of LongAgent is about: near names, values that are used once, limits of rules."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.context.longagent import words as w
from acgym.envs.context.people import near_people, ordinal, people
from acgym.types import Split

_NUMBERS = {"hook": (11, 99), "extension": (200, 989), "locker": (100, 199), "code": (1000, 9989)}
_NUMBERS |= {"order": (20000, 99989), "price": (12, 480)}
_CLOSED = {"thing": w.THINGS, "room": w.ROOMS, "place": w.PLACES, "shelf": w.SHELVES, "badge": w.COLOURS}
_POOLS = {"room": w.ROOMS, "meeting": w.MEETINGS, "firm": w.FIRMS}


class Cast:
    """Hands out subjects, each once for a purpose, and values, each once as long as there are enough."""

    def __init__(self, draw: Draw, split: Split) -> None:
        self.draw = draw
        self._people = people(split)
        self._split: Split = split
        self._near: list[str] = []
        self._crowd: list[str] = []
        self._talk: list[str] = []
        self._used: dict[str, set[str]] = {}
        self._rules = draw.shuffled(w.RULES)
        self._stocks = draw.shuffled(w.STOCK)

    def person(self) -> str:
        """Return somebody who was not named before, often a namesake of somebody who was."""
        if not self._near:
            seen = self._used.setdefault("", set())
            self._near = [name for name in near_people(self.draw, self._split, 8) if name not in seen]
            seen.update(self._near)
            return self.person()
        return self._near.pop()

    def passer(self) -> str:
        """Return anybody: one who does not matter."""
        return self.draw.pick(self._people)

    def subject(self, kind: str, purpose: str) -> str:
        """Return who or what a thread is about, each only once for a purpose."""
        if kind == "person":
            if self._crowd and self.draw.chance(0.5):  # somebody of whom something else was told
                name = self.draw.pick(self._crowd)
                if name not in self._used.setdefault(purpose, set()):
                    self._used[purpose].add(name)
                    return name
            name = self.person()
            self._crowd.append(name)
            self._used.setdefault(purpose, set()).add(name)
            return name
        return self._once(f"about {purpose}", _POOLS[kind])

    def has(self, kind: str, purpose: str) -> bool:
        """Say whether there is a subject left for a purpose."""
        return kind == "person" or len(self._used.get(f"about {purpose}", ())) < len(_POOLS[kind])

    def value(self, kind: str) -> str:
        """Return a value of a kind that no other thread has."""
        if kind in _NUMBERS:
            low, high = _NUMBERS[kind]
            used = self._used.setdefault(kind, set())
            while True:
                number = str(self.draw.between(low, high))
                if number not in used or len(used) > (high - low) // 2:
                    used.add(number)
                    return number
        if kind == "date":
            return ordinal(self.draw.between(2, 28))
        if kind == "time":
            return (
                f"{self.draw.between(8, 20)}:{self.draw.pick(('05', '10', '15', '20', '35', '40', '45', '50', '55'))}"
            )
        if kind in _CLOSED:
            return self._once(kind, _CLOSED[kind])
        return self.person()

    def talk(self) -> str:
        """Return small talk, all of it before any comes again."""
        if not self._talk:
            self._talk = self.draw.shuffled(w.TALK)
        return self._talk.pop()

    def rule(self) -> w.Rule:
        """Return a rule that is not in force yet."""
        return self._rules.pop()

    def stock(self) -> str:
        """Return a stock that nothing was told of."""
        return self._stocks.pop()

    def outcomes(self, rule: w.Rule) -> tuple[str, str]:
        """Return the two outcomes of a rule."""
        return self.value(rule.outcome), self.value(rule.outcome)

    def limit(self, rule: w.Rule, old: str = "") -> str:
        """Return a limit of a rule, not the old one; for a rule without numbers, a firm or a topic."""
        while True:
            if rule.high:
                found = str(self.draw.between(rule.low, rule.high))
            else:
                found = self.draw.pick(w.FIRMS if rule.name == "visit" else w.TOPICS)
            if found != old:
                return found

    def case(self, rule: w.Rule, limit: str, over: bool) -> str:
        """Return a case on one side of a limit, never on it."""
        if rule.high:
            at, step = int(limit), max(1, int(limit) // 3)
            return str(self.draw.between(at + 1, at + step) if over else self.draw.between(at - step, at - 1))
        return limit if over else self.limit(rule, limit)

    def _once(self, kind: str, pool: tuple[str, ...]) -> str:
        used = self._used.setdefault(kind, set())
        if len(used) >= len(pool):
            used.clear()
        while True:
            found = self.draw.pick(pool)
            if found not in used:
                used.add(found)
                return found
