"""What the six abilities share: forms of reply, numbered answers, marks for each, success when all are right."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome, TextEnv
from acgym.envs.spoken import today_line
from acgym.envs.tools.abilities.replies import FORMS, Form, read_items, write_items
from acgym.types import Json

T = TypeVar("T")


class Mark(NamedTuple):
    """What one answer is worth."""

    score: float
    """In [0, 1]; 1 is all right."""
    error: str | None = None
    """Kind of error, if it is not all right."""
    found: bool = False
    """Whether its content is right, whatever its form."""


RIGHT = Mark(1.0, None, True)


class Ability(TextEnv):
    """An environment of one reply that holds numbered answers.

    Args:
        level: 1 to 5.
        form: ``"json"`` or ``"string"``: how the reply is to be written.
        render_mode: ``"ansi"`` or None.
    """

    capability = "tool calling"
    missing_error = "unfinished"
    """Kind of error of an answer that is not there."""

    def __init__(self, level: int = DEFAULT_LEVEL, form: str = "json", render_mode: str | None = None) -> None:
        if form not in FORMS:
            raise ValueError(f"form must be 'json' or 'string', got {form!r}")
        super().__init__(level, render_mode)
        self.form: Form = "json" if form == "json" else "string"

    @property
    def count(self) -> int:
        """How many answers are asked for."""
        return len(self.task.reference)

    @abstractmethod
    def rules(self) -> str:
        """Say what to do and how to write the reply, without the step limit."""

    @abstractmethod
    def mark(self, place: int, said: Json, form: Form) -> Mark:
        """Judge the answer at a place, read from a reply of a form; never None."""

    @abstractmethod
    def answer(self, place: int) -> Json:
        """Return the right answer at a place, ready to be written."""

    def tell(self) -> str:
        """Say the rules and the task."""
        return f"{self.rules()}\n{self.limit_line()}{self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Read the answers and mark them; the first reply that can be read ends the episode."""
        items = read_items(action, self.form, self.count)
        if items is None:
            other: Form = "string" if self.form == "json" else "json"
            elsewhere = read_items(action, other, self.count)
            found = elsewhere is not None and all(mark.found for mark in self._marks(elsewhere, other))
            return self.malformed(self.unread(), found)
        marks = self._marks(items, self.form)
        progress = sum(mark.score for mark in marks) / len(marks)
        error = next((mark.error for mark in marks if mark.error is not None), None)
        found = all(mark.found for mark in marks)
        told = "All is right." if error is None else f"{sum(m.error is None for m in marks)} of {len(marks)} right."
        return Outcome(told, progress, error is None, True, error=error, found=found)

    def unread(self) -> str:
        """Say that a reply could not be read, and how to write it."""
        how = 'one JSON object such as {"1": ...}' if self.form == "json" else "lines such as 1: ..."
        return f"Your reply holds no answer that can be read. Write {how}, with the numbers that were asked."

    def oracle(self) -> str:
        """Write the right answers."""
        return write_items([self.answer(place) for place in range(self.count)], self.form)

    def _marks(self, items: Sequence[Json], form: Form) -> list[Mark]:
        missing = Mark(0.0, self.missing_error)
        return [missing if said is None else self.mark(place, said, form) for place, said in enumerate(items)]


def numbered(texts: Sequence[str]) -> str:
    """Write texts as numbered lines."""
    return "\n".join(f"{i}. {text}" for i, text in enumerate(texts, 1))


def dated(day: date, text: str) -> str:
    """Put a line that tells the day before a text."""
    return f"{today_line(day)}\n{text}"


def spread(draw: Draw, items: Sequence[T], count: int) -> list[T]:
    """Draw ``count`` items, distinct ones while there are enough."""
    if count <= len(items):
        return draw.sample(items, count)
    return [draw.pick(items) for _ in range(count)]
