"""What an assistant could do next at a place in a task of several calls: one right option and wrong ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.tools.abilities.replies import as_json, write_call
from acgym.envs.tools.library.match import alike
from acgym.envs.tools.library.model import Goal, Step, texts
from acgym.envs.tools.library.words import Words, refer
from acgym.envs.voices import capitalised
from acgym.types import Json, canonical_json

BARE = 0.25
"""Chance that the right thought says no more than the tool: wrong ones do, where nothing closer is left."""


class Option(NamedTuple):
    """What could be done next."""

    text: str
    kind: str
    """Kind of error if it is chosen and wrong."""


class Course:
    """A task under way: some of its calls were made, one that can be made now is next, or all are made."""

    def __init__(self, draw: Draw, goal: Goal, words: Words) -> None:
        self._draw, self._goal, self._words = draw, goal, words
        self._args: dict[str, dict[str, Json]] = {}
        self._results: dict[str, Json] = {}
        for step in goal.steps:
            args = refer(words.values(step.args), self._results)
            self._args[step.id] = args
            self._results[step.id] = words.result(step.result, args)
        self.done = draw.below(len(goal.steps) + (1 if draw.chance(0.3) else 0))
        """How many calls were made."""
        self._made = goal.steps[: self.done]
        made = {step.id for step in self._made}
        self._later = [s for s in goal.steps[self.done + 1 :] if not set(s.needs) <= made]
        self._next: Step | None = goal.steps[self.done] if self.done < len(goal.steps) else None

    def history(self) -> str:
        """Say the calls made and what came back."""
        rows = [f"Call: {self._call(step)}\nResult: {as_json(self._results[step.id])}" for step in self._made]
        return "Done so far:\n" + "\n".join(rows) if rows else "Nothing was done so far."

    def thoughts(self, count: int) -> tuple[Option, list[Option]]:
        """Return the right thought, and at most ``count`` wrong ones, the closest first."""
        if self._next is None:
            right = self._end("too_early")
        else:
            bare = self._draw.chance(BARE)
            right = Option(_bare(self._next.tool) if bare else self._said(self._next.thought), "wrong_thought")
        return right, _others(right, self._wrong_thoughts(), count)

    def calls(self, count: int) -> tuple[Option, list[Option]]:
        """Return the right call, and at most ``count`` wrong ones, the closest first."""
        right = self._end("too_early") if self._next is None else Option(self._call(self._next), "wrong_call")
        return right, _others(right, self._wrong_calls(), count)

    def _wrong_thoughts(self) -> Iterator[Option]:
        repeated = None
        if self._next is not None:
            repeated = self._next.tool
            for text in self._draw.shuffled(self._next.traps):
                yield Option(self._said(text), "wrong_thought")
            ahead = [Option(self._said(step.thought), "wrong_thought") for step in self._later]
            yield from self._draw.shuffled([*ahead, self._end("too_early")])
        # Where the same tool comes next once more, "I need both" is no wrong thought after the first call.
        old = [step for step in reversed(self._made) if step.tool != repeated]
        again = (Option(self._said(step.thought), "wrong_thought") for step in old)
        yield from islice(again, 1)
        yield from self._near_thoughts()
        yield from again

    def _wrong_calls(self) -> Iterator[Option]:
        texts: Iterator[str]
        if self._next is not None:
            spoilt, near = self._spoilt(self._next), self._near(self._next)
            for texts in (islice(spoilt, 1), islice(near, 1)):
                yield from (Option(text, "wrong_call") for text in texts)
            more = [Option(text, "wrong_call") for text in (*islice(spoilt, 2), *islice(near, 1))]
            yield from self._draw.shuffled([*more, self._end("too_early")])
            yield from (Option(self._call(step), "wrong_call") for step in self._later)
        last = self._made[::-1]
        yield from (Option(self._call(step), "wrong_call") for step in last)
        for step in last:
            yield from (Option(text, "wrong_call") for text in chain(self._near(step), self._spoilt(step)))

    def _end(self, kind: str) -> Option:
        return Option(f"All that was asked for is done. I tell the user: {self._said(self._goal.answer)}", kind)

    def _said(self, text: str) -> str:
        said = self._words.message(text, {})
        return capitalised(said) if text.startswith("{") else said

    def _call(self, step: Step) -> str:
        return write_call(step.tool, self._args[step.id])

    def _near_thoughts(self) -> Iterator[Option]:
        """Yield thoughts of using another tool of the domain that no call of the task uses."""
        used = {step.tool for step in self._goal.steps}
        for tool in self._draw.shuffled([tool for tool in self._goal.domain.tools if tool.name not in used]):
            yield Option(_bare(tool.name), "wrong_thought")

    def _spoilt(self, step: Step) -> Iterator[str]:
        """Yield the call of a step with one wrong value: from a neighbouring place of a result, or drawn anew."""
        args = self._args[step.id]
        for name in self._draw.shuffled(list(step.args)):
            form = step.args[name]
            if not isinstance(form, str):
                continue
            other: Json = None
            if form.startswith("@"):
                other = self._neighbour(args[name], form)
            elif form.startswith("$"):
                try:
                    other = self._words.other(form[1:]).value
                except ValueError:
                    continue
            if other is not None and not alike(other, args[name]):
                yield write_call(step.tool, {**args, name: other})

    def _neighbour(self, right: Json, form: str) -> Json:
        """Return a value of a result that could be taken for the one referred to; None if there is none."""
        step, *path = form[1:].split(".")
        for at in range(len(path) - 1, -1, -1):
            if path[at].isdigit():
                for i in range(8):
                    try:
                        return_value = refer("@" + ".".join([step, *path[:at], str(i), *path[at + 1 :]]), self._results)
                    except (KeyError, IndexError, TypeError):
                        break
                    if not alike(return_value, right):
                        return return_value
        if isinstance(right, str):
            known = [text for result in (self._results[s.id] for s in self._made) for text in texts(result)]
            ids = [text for text in known if text != right and any(c.isdigit() for c in text) and " " not in text]
            return self._draw.pick(ids) if ids else None
        return None

    def _near(self, step: Step) -> Iterator[str]:
        """Yield calls of tools that look like a step's, with as much of its arguments as they take."""
        tool = self._goal.domain.by_name[step.tool]
        args = self._args[step.id]
        for name in self._draw.shuffled(list(tool.near)):
            other = self._goal.domain.by_name[name]
            taken = {key: args[key] for key in other.parameters["properties"] if key in args}
            if taken and not self._is_right(name, taken):
                yield write_call(name, taken)

    def _is_right(self, name: str, args: Mapping[str, Json]) -> bool:
        return any(
            step.tool == name and canonical_json(self._args[step.id]) == canonical_json(args)
            for step in self._goal.steps
        )


def _bare(tool: str) -> str:
    """Say which tool is next, and no more."""
    return f"The next thing to do is to call {tool}."


def _others(right: Option, wrong: Iterator[Option], count: int) -> list[Option]:
    """Take up to ``count`` options with texts of their own."""
    kept = {right.text: right}
    for option in wrong:
        if len(kept) > count:
            break
        kept.setdefault(option.text, option)
    return list(kept.values())[1:]
