"""ACB/ToolReview-v0: what happened in a call: solved, tool error, wrong arguments, refused, not needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import ClassVar, NamedTuple

import numpy as np

from acgym.draw import Draw
from acgym.envs.spoken import today
from acgym.envs.tools.abilities.base import RIGHT, Ability, Mark, dated
from acgym.envs.tools.abilities.heuristics import by_codes
from acgym.envs.tools.abilities.remarks import NOTES, PRESSED, WITHDRAWN
from acgym.envs.tools.abilities.replies import Form, as_json, only, write_call, write_items
from acgym.envs.tools.library.model import ERRORS, Ask, Tool, tools
from acgym.envs.tools.library.request import remark, request
from acgym.envs.tools.library.words import Words
from acgym.types import Anchor, FailureClass, Json, Split, Task

LABELS = ("solved", "tool_error", "wrong_arguments", "refused", "not_needed")
HARD = 3
"""From this level on wishes are taken back; calls with wrong arguments meet errors of all kinds, leave out what was
said, mix two values up or take one that was only mentioned; values that are said in other words are the first to be
wrong; and a service says in a sentence what has become of a call, also where all went well."""
ASIDE = 0.6
"""Chance that a value which is not meant is mentioned beside the request."""
SHAPES = {1: (1, 0.0), 2: (2, 0.3), 3: (3, 0.6), 4: (4, 0.6), 5: (6, 0.6)}
"""Level -> situations, chance that wrong arguments are answered as if nothing were wrong."""
_RULES = """\
For each situation, say what happened in the call that was made. The labels:
solved - the call is right and its result is what the user needs
tool_error - the call is right, but the service broke down
wrong_arguments - an argument differs from what the user said or is left out, whatever came back
refused - the call is right and the service works, but it says no
not_needed - the user needed no call at all, or took the whole wish back"""
_HARD_LABELS = (*LABELS, "wrong_arguments", "wrong_arguments")
"""Labels to draw from: what has to be compared comes more often than what a message tells."""
_HOW = {
    "json": 'Reply with one JSON object that gives a label for each number, such as {"1": "solved"}.',
    "string": "Reply with one line for each number and its label, such as 1: solved",
}
_CODE = re.compile(r"\A\d{3}: ")
_FIELD = re.compile(r"\{(\w+)\}")


class Situation(NamedTuple):
    """A request, the call that was made, what came back, and what that was."""

    said: str
    call: str
    result: Json
    label: str


class ToolReview(Ability):
    """ACB/ToolReview-v0: judge what happened in calls that were made for users.

    What the agent sees: the rules with the five labels, the day, and numbered situations: a user's request in the
    user's voice, the tool with its parameters, the call that was made for it, and what came back. An error's message
    says in words what is wrong; whether the arguments are right must be seen by comparing them with the request, since
    a wrong call may also be answered as if nothing were wrong, or carry a value that the user took back.

    What it must say: for each number a label: as one JSON object (``form="json"``) or as lines (``form="string"``).

    What earns progress: the share of right labels. Success: all are right. ``found``: the same, in either form.

    When it ends: with the first reply that can be read; at most 3 replies.

    Levels:
        ===== ========== ======================================================================
        level situations wrong arguments that are answered as if nothing were wrong
        ===== ========== ======================================================================
        1     1          none; errors carry a status code
        2     2          30 %
        3     3          60 %; wishes that are taken back; errors of all kinds after wrong arguments
        4     4          60 %
        5     6          60 %
        ===== ========== ======================================================================

    Args:
        level: 1 to 5.
        form: ``"json"`` or ``"string"``.
        render_mode: ``"ansi"`` or None.

    Errors in ``info["error"]``: ``wrong_label``, ``unknown_label``, ``unfinished`` (a number is missing).

    Source: generated, MIT. Stands for T-Eval's Review (Chen et al. 2023, arXiv 2312.14033) in ACBench's tool use.
    Departs from it: labels in words, several situations in one reply, "refused" and "not needed" as labels.

    Version history: v0, first.
    """

    env_id = "ACB/ToolReview-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "wrong_label": "lost_track",
        "unknown_label": "format",
        "unfinished": "premature_stop",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.221, 0.221),
        2: Anchor(0.039, 0.206),
        3: Anchor(0.009, 0.197),
        4: Anchor(0.002, 0.202),
        5: Anchor(0.000, 0.198),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.751, 0.751),
        2: Anchor(0.351, 0.590),
        3: Anchor(0.037, 0.331),
        4: Anchor(0.012, 0.324),
        5: Anchor(0.002, 0.333),
    }

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw situations, each of a label that is as likely as any."""
        count, silent = SHAPES[self.level]
        day = today(draw)
        made = [self._situation(draw, split, day, silent) for _ in range(count)]
        blocks = [
            f"Situation {i}\nRequest: {one.said}\n{one.call}\nResult: {as_json(one.result)}"
            for i, one in enumerate(made, 1)
        ]
        labels = [one.label for one in made]
        return Task("+".join(sorted(set(labels))), dated(day, "\n".join(blocks)), {}, labels)

    def _situation(self, draw: Draw, split: Split, day: date, silent: float) -> Situation:
        hard = self.level >= HARD
        label = draw.pick(_HARD_LABELS if hard else LABELS)
        ask = draw.pick(_asks(split))
        tool = ask.tool
        withdrawn = label == "not_needed" and hard and draw.chance(0.7)
        if label == "not_needed" and not withdrawn:
            words = Words(draw, tool.domain.slots, day)
            said = remark(draw, split, draw.pick(tool.domain.no_tool), words)
            args = words.values(ask.args)
            return Situation(said, _shown(ask, args), self._result(draw, words, tool, args), label)
        made = request(draw, split, ask, day, plain=self.level == 1, aside=ASIDE if hard else 0.0)
        args, words = made.args, made.words
        said = made.text
        if withdrawn or (hard and draw.chance(0.4)):
            end = "" if said[-1] in ".!?" else "."
            said = f"{said}{end} {draw.pick(WITHDRAWN if withdrawn else PRESSED)}"
        if withdrawn or label == "solved":
            return Situation(said, _shown(ask, args), self._result(draw, words, tool, args), label)
        if label == "wrong_arguments":
            quiet = draw.chance(silent)
            kind = draw.pick(ERRORS) if hard else "bad"
            message = draw.pick(tool.errors[kind])
            args = _spoilt(draw, ask, words, None if quiet or kind != "bad" else message, hard)
            other = made.first_said or made.aside or (_mixed(draw, ask, words) if hard else None)
            if other is not None and draw.chance(0.9 if hard else 0.5):
                args = other
            result = self._result(draw, words, tool, args) if quiet else self._error(words, tool, message, args)
            return Situation(said, _shown(ask, args), result, label)
        message = draw.pick(tool.errors["failed" if label == "tool_error" else "refused"])
        return Situation(said, _shown(ask, args), self._error(words, tool, message, args), label)

    def _result(self, draw: Draw, words: Words, tool: Tool, args: Mapping[str, Json]) -> Json:
        """Fill a result in; a sentence of the service is with it where errors come as sentences too."""
        made = words.result(tool.sample, args)
        return {**made, "message": draw.pick(NOTES)} if self.level >= HARD and isinstance(made, dict) else made

    def _error(self, words: Words, tool: Tool, message: str, args: Mapping[str, Json]) -> Json:
        """Fill an error's message in; its status code is shown at level 1 only, from HARD on the call is repeated."""
        text = _FIELD.sub(lambda found: str(args.get(found[1], "?")), message)
        if self.level < HARD or not isinstance(tool.sample, dict):
            return {"error": text if self.level == 1 else _CODE.sub("", text)}
        said = {k: v for k, v in tool.sample.items() if isinstance(v, str) and v.startswith("=")}
        return {**words.result(said, args), "message": _CODE.sub("", text)}

    def rules(self) -> str:
        """Say the labels and how to write them."""
        return f"{_RULES}\n{_HOW[self.form]}"

    def mark(self, place: int, said: Json, form: Form) -> Mark:
        """Compare a label with the right one."""
        text = re.sub(r"[\s_-]+", "_", str(only(said, "label", "answer")).strip(" \t`*'\".").casefold())
        label = next((label for label in LABELS if re.match(rf"{label}(?![a-z])", text)), text)
        if label == self.task.reference[place]:
            return RIGHT
        return Mark(0.0, "wrong_label" if label in LABELS else "unknown_label")

    def answer(self, place: int) -> str:
        """Return the right label."""
        label: str = self.task.reference[place]
        return label

    def random_reply(self, rng: np.random.Generator) -> str:
        """Give random labels."""
        draw = Draw(rng)
        return write_items([draw.pick(LABELS) for _ in range(self.count)], self.form)

    def heuristic_reply(self) -> str:
        """Judge by the words of the result alone."""
        return write_items(by_codes(self.observations[0]), self.form)


def _shown(ask: Ask, args: Mapping[str, Json]) -> str:
    """Say what tool was called and how."""
    return f"Tool: {ask.tool.signature[2:]}\nCall: {write_call(ask.tool.name, args)}"


def _asks(split: Split) -> tuple[Ask, ...]:
    """Asks with at least one value that can be wrong."""
    if split not in _SLOTTED:
        _SLOTTED[split] = tuple(ask for tool in tools(split) for ask in tool.asks if ask.slots)
    return _SLOTTED[split]


_SLOTTED: dict[Split, tuple[Ask, ...]] = {}


def _mixed(draw: Draw, ask: Ask, words: Words) -> dict[str, Json] | None:
    """Return the arguments with two values of one kind exchanged, or without one that may be left out; or None."""
    args: dict[str, Json] = words.values(ask.args)
    pairs = [
        (one, other)
        for one, a in ask.args.items()
        for other, b in ask.args.items()
        if isinstance(a, str) and isinstance(b, str) and b.startswith(f"{a}_") and args[one] != args[other]
    ]
    needed = ask.tool.parameters["required"]
    spare = [
        name for name, form in ask.args.items() if name not in needed and isinstance(form, str) and form[:1] == "$"
    ]
    if pairs:
        one, other = draw.pick(pairs)
        return {**args, one: args[other], other: args[one]}
    if spare:
        name = draw.pick(spare)
        return {key: value for key, value in args.items() if key != name}
    return None


def _spoilt(draw: Draw, ask: Ask, words: Words, message: str | None, meant: bool) -> dict[str, Json]:
    """Return the arguments with another value for one slot, for one that the message speaks of if it does.

    With ``meant``, it is one whose values are said in other words, if there is one.
    """
    slots = list(ask.slots)
    if message is not None:
        named = _FIELD.findall(message)
        spoken = [ask.args[name][1:] for name in named if isinstance(ask.args.get(name), str)]
        slots = [slot for slot in slots if slot in spoken] or slots
    right = words.values(ask.args)
    order = draw.shuffled(slots)
    if meant:
        order.sort(key=lambda slot: slot not in ask.meant)
    for slot in order:
        kept = words.of(slot)
        try:
            words.keep(slot, words.other(slot))
        except ValueError:
            continue
        args: dict[str, Json] = words.values(ask.args)
        words.keep(slot, kept)
        return args
    name = draw.pick(list(right))  # every pool is used up: leave an argument out
    return {key: value for key, value in right.items() if key != name}
