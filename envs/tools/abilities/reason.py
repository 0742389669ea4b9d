"""ACB/ToolReason-v0: choose the next thought or call among close alternatives, given what was done so far."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.envs.spoken import today
from acgym.envs.tools.abilities.base import RIGHT, Ability, Mark, dated, spread
from acgym.envs.tools.abilities.heuristics import likeliest_options
from acgym.envs.tools.abilities.options import Course
from acgym.envs.tools.abilities.replies import Form, only, write_items
from acgym.envs.tools.library.model import goals
from acgym.envs.tools.library.request import speakers, whole
from acgym.envs.tools.library.words import Words
from acgym.types import Anchor, FailureClass, Json, Split, Task

SHAPES = {1: (1, 3, 0.0), 2: (1, 4, 0.3), 3: (3, 5, 0.5), 4: (4, 5, 0.5), 5: (5, 6, 0.6)}
"""Level -> situations, options of each, chance that the options are calls."""
LETTERS = "ABCDEFGH"
_RULES = """\
An assistant works for users with tools, one call at a time. In each situation below, choose what it should do next.
Only one option is right: it can be done now with what is known, serves the user's wish, and has the right values.
An id or figure that nobody said and no result holds is made up."""
_HOW = {
    "json": 'Reply with one JSON object that gives the letter of an option for each number, such as {"1": "B"}.',
    "string": "Reply with one line for each number and the letter of an option, such as 1: B",
}
_LETTER = re.compile(r"(?:option|answer)?[\s\"'(*]*([A-Ha-h])(?![A-Za-z])", re.I)


class ToolReason(Ability):
    """ACB/ToolReason-v0: choose the next thought or call of an assistant that works with tools.

    What the agent sees: the rules, the day, and numbered situations: the tools of a domain, a user's wish in the user's
    voice, what was called so far and what came back, and lettered options. They are thoughts in words, or calls. Wrong
    ones use a near-duplicate of the right tool or a value from the wrong place, do what was done already, what cannot
    be done yet, or end too early.

    What it must say: a letter for each number: as one JSON object (``form="json"``) or as lines (``form="string"``).

    What earns progress: the share of right letters. Success: all are right. ``found``: the same, in either form.

    When it ends: with the first reply that can be read; at most 3 replies.

    Levels:
        ===== ========== ======= ==============
        level situations options calls among them
        ===== ========== ======= ==============
        1     1          3       none
        2     1          4       30 %
        3     3          5       50 %
        4     4          5       50 %
        5     5          6       60 %
        ===== ========== ======= ==============

    Args:
        level: 1 to 5.
        form: ``"json"`` or ``"string"``.
        render_mode: ``"ansi"`` or None.

    Errors in ``info["error"]``: ``wrong_thought`` or ``wrong_call`` (another option), ``too_early`` (the option that
    ends), ``unknown_option``, ``unfinished`` (a number is missing).

    Source: generated, MIT. Stands for T-Eval's Reason (Chen et al. 2023, arXiv 2312.14033) in ACBench's tool use.
    Departs from it: a choice among alternatives, where T-Eval compares free thoughts by a sentence model.

    Version history: v0, first.
    """

    env_id = "ACB/ToolReason-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "wrong_thought": "lost_track",
        "wrong_call": "wrong_argument",
        "too_early": "premature_stop",
        "unknown_option": "format",
        "unfinished": "premature_stop",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.346, 0.346),
        2: Anchor(0.240, 0.240),
        3: Anchor(0.009, 0.200),
        4: Anchor(0.001, 0.199),
        5: Anchor(0.000, 0.165),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.429, 0.429),
        2: Anchor(0.380, 0.380),
        3: Anchor(0.027, 0.302),
        4: Anchor(0.007, 0.318),
        5: Anchor(0.003, 0.272),
    }

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw situations of different tasks."""
        count, options, calls = SHAPES[self.level]
        day = today(draw)
        every = goals(split)
        blocks, reference, kinds = [], [], []
        voices = spread(draw, speakers(split), count)
        for i, goal in enumerate(draw.sample(every, min(count, len(every))), 1):
            words = Words(draw, goal.domain.slots, day)
            said = whole(draw, voices[i - 1], goal, words)
            course = Course(draw, goal, words)
            make = course.calls if draw.chance(calls) else course.thoughts
            right, wrong = make(options - 1)
            shown = draw.shuffled([right, *wrong])
            reference.append(LETTERS[shown.index(right)])
            kinds.append([option[1] for option in shown])
            told = "\n".join(f"{LETTERS[k]}) {option[0]}" for k, option in enumerate(shown))
            blocks.append(
                f"Situation {i}\nTools:\n{goal.domain.signatures}\nThe user wants: {said}\n{course.history()}\n"
                f"Options:\n{told}"
            )
        kind = f"{course.done} calls made" if count == 1 else f"{count} situations"
        return Task(kind, dated(day, "\n".join(blocks)), {"kinds": kinds}, reference)

    def rules(self) -> str:
        """Say what to choose and how to write it."""
        return f"{_RULES}\n{_HOW[self.form]}"

    def mark(self, place: int, said: Json, form: Form) -> Mark:
        """Compare a letter with the right one."""
        found = _LETTER.match(str(only(said, "option", "answer", "letter", "choice")).strip())
        kinds: list[str] = self.task.data["kinds"][place]
        at = LETTERS.find(found[1].upper()) if found else -1
        if not 0 <= at < len(kinds):
            return Mark(0.0, "unknown_option")
        return RIGHT if LETTERS[at] == self.task.reference[place] else Mark(0.0, kinds[at])

    def answer(self, place: int) -> str:
        """Return the right letter."""
        letter: str = self.task.reference[place]
        return letter

    def random_reply(self, rng: np.random.Generator) -> str:
        """Choose random letters."""
        draw = Draw(rng)
        return write_items([LETTERS[draw.below(len(kinds))] for kinds in self.task.data["kinds"]], self.form)

    def heuristic_reply(self) -> str:
        """Choose the options that share most rare words with what was said."""
        return write_items(likeliest_options(self.observations[0]), self.form)
