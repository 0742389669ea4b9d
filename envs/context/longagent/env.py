"""ACB/LongAgent-v0: memory over an interaction: facts, promises and rules arrive and are needed many turns later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import DEFAULT_LEVEL, Outcome
from acgym.envs.context.arguments import MAX_LENGTH, checked_count
from acgym.envs.context.base import LongEnv
from acgym.envs.context.longagent.heuristic import recall
from acgym.envs.context.longagent.script import MOST_THREADS, NOTHING, SHAPES, TURNS_PER_THREAD, script
from acgym.envs.context.longagent.words import COLOURS
from acgym.envs.context.prose import prose
from acgym.scorers.answer import answer_line
from acgym.scorers.naming import names_any, names_nothing, names_only
from acgym.types import Anchor, FailureClass, Json, Split, Task

MAX_TURNS = 500
LENGTHS = {1: 0, 2: 1000, 3: 3000, 4: 7000, 5: 14000}
"""Words of all messages by level, made up with notices for the board; 0 for no notices."""
RULES = """\
You keep the desk of a house with workshops, from morning to evening. Messages come one by one, and you reply to each.
Remember what you are told: later messages need it, and nothing is told twice. What is told later replaces what was told
before it.
When a message asks something, or gives you a sum, end your reply with a line: Answer: X
When somebody or something comes (a person at the desk or on the telephone, a van, a parcel, a bill, a visitor, a
question), end with such a line too: X is what was arranged for it, by a promise or by a house rule: the thing to hand
over, the place, shelf or badge, or the person, by full name. If nothing was arranged for it,
or no longer, say: Answer: nothing
To any other message reply with a word such as: Noted."""
_NOTICES = ("For the notice board:", "Please pin this up:", "Copied for the board:", "To be read out at the table:")
_BANDS = (
    (0, "at once"),
    (10, "1 to 10"),
    (25, "11 to 25"),
    (50, "26 to 50"),
    (100, "51 to 100"),
    (500, "more than 100"),
)


class LongAgent(LongEnv):
    """ACB/LongAgent-v0: work at a desk for 10 to 500 turns, with facts, promises and rules to remember meanwhile.

    What the agent sees: rules, then one message a turn: ``Message 7 of 40: The key of the loft hangs on hook 41.``
    Facts are told and change, promises are asked for and taken back, house rules are set and changed in part, stocks
    are borrowed and brought back; small talk, sums and notices come between. Later a message asks (``On which hook do I
    find the loft key?``), or something happens for which something was arranged (``The van of Corwin Paper is at the
    gate.``). Nothing is repeated, and no message says whether an answer was right: the memory is the conversation.

    What it must say: ``Answer: X`` where something is wanted, read generously
    (:func:`acgym.scorers.answer.answer_line`, :func:`acgym.scorers.naming.names_only`): ``X`` may stand among other
    words as long as no other thing of the episode does. Anything, also nothing, where nothing is wanted.

    What earns progress: the share of the messages that want something and were answered right: questions, things that
    happen, sums. Success is all of them. The last observation tells the share by distance, the number of turns since
    what is needed was told last.

    When it ends: with the reply to the last message. Every reply brings the next message, readable or not.

    ===== ===== ==== ====== =======================================================================
    level turns load words  what there is to remember
    ===== ===== ==== ====== =======================================================================
    1     10    3    <= 400 facts and promises that do not change
    2     20    5    1,000  some change; somebody comes for whom nothing was arranged
    3     40    10   3,000  house rules; what was so before the last change
    4     70    16   7,000  running tallies; two facts joined
    5     120   30   14,000 the same, most of it changing
    ===== ===== ==== ====== =======================================================================

    Errors in ``info["error"]``: ``"stale_value"`` (what was right before a change), ``"other_value"`` (another thing of
    the episode), ``"wrong_value"``, ``"forgotten"`` (``nothing``, where something was arranged), ``"made_up"``
    (something, where nothing was). A reply without an answer to what wants one is malformed.

    Args:
        level: 1 to 5, see the table.
        turns: messages, 10 to 500; None for the level's.
        load: threads to remember; at least 3 turns each, and 150 at most; None for the level's.
        length: words of rules and messages, up to which notices of the prose library fill the small talk; 0 for no
            notices; None for the level's, in proportion if ``turns`` is given. Messages alone may be longer.
        distance: turns between what is told last and the message that needs it, 1 to ``turns`` - 1, kept as nearly as
            there is room; None for any.
        render_mode: ``"ansi"`` or None.

    Raises:
        ValueError: for an argument out of range.

    Source: ours; stands for what agents lose over long interactions, which the long-context tasks of ACBench (arXiv
    2505.19433), one reply each, do not show. Everything is generated; MIT licence.

    Versions: v0, first.
    """

    env_id = "ACB/LongAgent-v0"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "stale_value": "lost_track",
        "other_value": "wrong_argument",
        "wrong_value": "wrong_argument",
        "forgotten": "lost_track",
        "made_up": "wrong_argument",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.000, 0.001),
        2: Anchor(0.000, 0.033),
        3: Anchor(0.000, 0.026),
        4: Anchor(0.000, 0.027),
        5: Anchor(0.000, 0.024),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.342, 0.765),
        2: Anchor(0.046, 0.639),
        3: Anchor(0.000, 0.413),
        4: Anchor(0.000, 0.352),
        5: Anchor(0.000, 0.282),
    }
    rows: list[dict[str, Json]]
    """The messages of the episode under way."""
    at: int
    """Index of the message that is to be replied to."""
    marks: list[tuple[int | None, bool]]
    """Distance of each message that wanted something so far, and whether it was answered right."""

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        turns: int | None = None,
        load: int | None = None,
        length: int | None = None,
        distance: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(level, render_mode)
        shape = SHAPES[level]
        self.turns = checked_count("turns", turns, shape.turns, 10, MAX_TURNS)
        most = min(MOST_THREADS, self.turns // TURNS_PER_THREAD)
        self.load = checked_count("load", load, min(most, round(shape.load * self.turns / shape.turns)), 1, most)
        self.length = checked_count("length", length, LENGTHS[level] * self.turns // shape.turns, 0, MAX_LENGTH)
        self.distance = None if distance is None else checked_count("distance", distance, 1, 1, self.turns - 1)
        self.shape = shape._replace(turns=self.turns, load=self.load)

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw the messages, and notices up to the length."""
        rows = script(draw, split, self.shape, self.distance)
        size = len(RULES.split()) + 7 + sum(4 + len(row["text"].split()) for row in rows)
        if self.length:
            size += _add_notices(draw, split, rows, self.length - size)
        needed = [row for row in rows if "wanted" in row]
        distances = [row["distance"] for row in needed if row["distance"]]
        facts = {
            "length": size,
            "turns": self.turns,
            "load": self.load,
            "distance": float(np.mean(distances)) if distances else 0.0,
        }
        data = {"messages": rows, "rivals": _rivals(rows), "distance": self.distance}
        goal = f"Keep the desk for {self.turns} messages."
        return Task(f"{self.load} threads", goal, data, [row["wanted"] for row in needed], facts=facts)

    def tell(self) -> str:
        """Say the rules and the first message."""
        self.rows, self.at, self.marks = self.task.data["messages"], 0, []
        return f"{RULES}\n{self.limit_line()}There are {len(self.rows)} messages.\n\n{self._message()}"

    def judge(self, action: str) -> Outcome:
        """Judge the answer to a message that wants one; go on to the next message."""
        row = self.rows[self.at]
        malformed, error = False, None
        if "wanted" in row:
            said = answer_line(action)
            error = None if said is None else self._error(said, row)
            malformed = said is None
            self.marks.append((row["distance"], not malformed and error is None))
        self.at += 1
        right = sum(mark for _, mark in self.marks)
        needed = len(self.task.reference)
        over = self.at == len(self.rows)
        heard = _summary(self.marks) if over else self._message()
        if malformed:
            heard = f"Your reply had no line 'Answer: X'.\n{heard}"
        return Outcome(heard, right / needed, over and right == needed, over, malformed, error)

    def oracle(self) -> str:
        """Answer what is wanted."""
        wanted = self.rows[self.at].get("wanted")
        return "Noted." if wanted is None else f"Answer: {wanted}"

    def simple_reply(self) -> str:
        """Search the messages for the words of this one; see :mod:`acgym.envs.context.longagent.heuristic`."""
        return recall(self.observations)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Answer with ``nothing``, a colour or a number below 200."""
        drawn = int(rng.integers(20))
        if drawn < 4:
            return f"Answer: {NOTHING}"
        return f"Answer: {COLOURS[drawn - 4] if drawn < 12 else int(rng.integers(200))}"

    def _message(self) -> str:
        return f"Message {self.at + 1} of {len(self.rows)}: {self.rows[self.at]['text']}"

    def _error(self, said: str, row: dict[str, Json]) -> str | None:
        wanted = row["wanted"]
        rivals = self.task.data["rivals"]
        if names_nothing(said):
            return None if wanted == NOTHING else "forgotten"
        if wanted == NOTHING:
            return "made_up"
        if names_only(said, wanted, rivals):
            return None
        if any(names_only(said, old, rivals) for old in row["old"]):
            return "stale_value"
        return "other_value" if names_any(said, rivals) else "wrong_value"


def _rivals(rows: list[dict[str, Json]]) -> list[str]:
    """Return everything that is right at some time in the episode, but for ``nothing``."""
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys([row["wanted"], *row["old"]] if "wanted" in row else []))
    return [value for value in found if value != NOTHING]


def _add_notices(draw: Draw, split: Split, rows: list[dict[str, Json]], words: int) -> int:
    """Put notices of at most so many words in all behind small talk; return how many words they have."""
    at = [row for row in rows if row["kind"] == "talk"] or [row for row in rows if "wanted" not in row]
    added = 0
    for paragraph in prose(draw, split, words):
        row, intro = draw.pick(at), draw.pick(_NOTICES)
        size = paragraph.words + len(intro.split())
        if added + size > words:
            break
        row["text"] += f"\n{intro} {paragraph.text}"
        added += size
    return added


def _summary(marks: list[tuple[int | None, bool]]) -> str:
    """Say how many answers were right, in all and by distance."""
    groups: dict[str, list[bool]] = {}
    for distance, right in marks:
        band = "nothing arranged" if distance is None else next(name for most, name in _BANDS if distance <= most)
        groups.setdefault(band, []).append(right)
    order = [*(name for _, name in _BANDS), "nothing arranged"]
    shares = "; ".join(f"{name}: {sum(groups[name])} of {len(groups[name])}" for name in order if name in groups)
    total = sum(right for _, right in marks)
    return f"The day is over. Right: {total} of {len(marks)}.\nBy turns since it was told: {shares}."
