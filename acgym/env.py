"""The base of acgym's environments: a task is drawn and told, each action is judged, reward is the gain in progress."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, cast

import gymnasium as gym
import numpy as np

from acgym.draw import Draw
from acgym.space import Utf8
from acgym.text import MAX_ACTION_CHARS
from acgym.types import Anchor, Split, Task

LEVELS = (1, 2, 3, 4, 5)
DEFAULT_LEVEL = 3
MAX_OBSERVATION_CHARS = 10_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one action did."""

    observation: str
    """What the agent is told next; may be empty when the episode ends."""
    progress: float
    """Progress after the action, in [0, 1]."""
    success: bool = False
    """Whether the whole task is solved."""
    terminated: bool = False
    """Whether the task is over; running out of steps is Gymnasium's truncation, never set here."""
    malformed: bool = False
    """A format error: the action is not in the stated grammar. Worth nothing, answered with a sentence."""
    error: str | None = None
    """A decision error: the action was well formed but wrong; a short stable kind such as ``"wrong_tool"``."""


class TaskEnv(gym.Env[str, str]):
    """A Gymnasium environment whose observations and actions are text, wherever its tasks come from.

    :class:`TextEnv` generates its tasks, :class:`acgym.rows.RowEnv` reads them from a file. Either way a subclass
    supplies ``tell`` (set the state of the task up and say it in words), ``judge`` (what one action does), ``oracle``
    (the reply an expert would give now) and ``random_reply`` (a legal reply that knows nothing). Everything else of
    the contract is kept here:

    * reward is the increase in progress, so that an episode's rewards sum to its final progress in [0, 1];
    * ``info`` holds ``progress``, ``success``, ``malformed`` and ``error`` after every step, and at reset also ``task``
      (a :class:`Task`) and ``tools`` (a tuple of tool specs);
    * any string is a legal action; one that cannot be read earns nothing and is answered with a sentence.

    Args:
        render_mode: ``"ansi"`` or None.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012  (Gymnasium's own type)
    capability: ClassVar[str]
    """Which of the four agentic capabilities the environment measures."""
    splits: ClassVar[tuple[Split, ...]]
    """The splits that ``reset`` draws from."""

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be None or 'ansi', got {render_mode!r}")
        self.render_mode = render_mode
        self.action_space = Utf8(MAX_ACTION_CHARS)
        self.observation_space = Utf8(MAX_OBSERVATION_CHARS)
        self._task: Task | None = None
        self._progress = 0.0
        self._shown = ""

    @property
    def task(self) -> Task:
        """The task of the episode under way.

        Raises:
            gymnasium.error.ResetNeeded: before the first reset.
        """
        if self._task is None:
            raise gym.error.ResetNeeded("there is no task yet; call env.reset() first")
        return self._task

    @property
    def anchor(self) -> Anchor | None:
        """What ``random_reply`` scores with the arguments of this environment; None if it was not measured."""
        return None

    @property
    def silence_may_score(self) -> bool:
        """Whether a reply without any action can be right in the task under way, as where no tool fits the request."""
        return False

    @abstractmethod
    def choose_task(self, seed: int | None, split: Split) -> Task:
        """Return the task of an episode from ``seed`` as ``reset`` got it, or from ``self.np_random``."""

    @abstractmethod
    def tell(self) -> str:
        """Set up the state of ``self.task`` and return the first observation: rules, then the task."""

    @abstractmethod
    def judge(self, action: str) -> Outcome:
        """Apply one action (any text of at most MAX_ACTION_CHARS characters) and say what it did; never raise."""

    @abstractmethod
    def oracle(self) -> str:
        """Return the reply that an expert would give now. Playing it to the end scores 1.0 on every task."""

    @abstractmethod
    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a legal reply in the stated grammar that uses no knowledge of the answer."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Choose a task and tell it.

        Args:
            seed: same id, arguments and seed give the same episode in any process.
            options: ``{"split": "eval"}`` (default) or ``{"split": "train"}``, if ``splits`` has it.

        Raises:
            ValueError: for an unknown option or split, or a split that the environment does not have.
        """
        super().reset(seed=seed)
        self._task = self.choose_task(seed, _split(options, self.splits))
        self._progress = 0.0
        self._shown = self.tell()
        info = _info(0.0, success=False, malformed=False, error=None)
        info["task"] = self._task
        info["tools"] = self._task.tools
        return self._shown, info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Judge one action; see the class for what ``info`` holds."""
        if not isinstance(action, str):
            raise TypeError(f"an action is text (str), got {type(action).__name__}")
        self.task  # noqa: B018  (raises before the first reset)
        if len(action) > MAX_ACTION_CHARS:
            outcome = self.malformed(f"Your reply has {len(action)} characters; at most {MAX_ACTION_CHARS} are read.")
        else:
            outcome = self.judge(action)
        reward = outcome.progress - self._progress
        self._progress = outcome.progress
        self._shown = outcome.observation
        info = _info(outcome.progress, outcome.success, outcome.malformed, outcome.error)
        return outcome.observation, reward, outcome.terminated, False, info

    def malformed(self, sentence: str) -> Outcome:
        """Answer an action that is not in the grammar: nothing changes, the episode goes on."""
        return Outcome(sentence, self._progress, malformed=True)

    def mistake(self, sentence: str, kind: str) -> Outcome:
        """Answer a well-formed action that is wrong and changes nothing: the episode goes on."""
        return Outcome(sentence, self._progress, error=kind)

    def render(self) -> str:
        """Return what the agent was told last."""
        return self._shown


class TextEnv(TaskEnv):
    """A :class:`TaskEnv` whose tasks are generated, at five levels and in two splits.

    A subclass supplies ``draw_task`` (a frozen row from random choices) beside what every :class:`TaskEnv` supplies.
    ``reset(options={"split": "train"})`` draws from the training stream, which shares nothing with evaluation.

    Args:
        level: 1 (small) to 5 (hard); the default is meant for models of about 7B parameters.
        render_mode: ``"ansi"`` or None.
    """

    anchors: ClassVar[Mapping[int, Anchor]]
    """Score of ``random_reply`` for each level over 2,000 evaluation seeds. Silence scores 0, the oracle 1."""
    splits: ClassVar[tuple[Split, ...]] = ("eval", "train")

    def __init__(self, level: int = DEFAULT_LEVEL, render_mode: str | None = None) -> None:
        if isinstance(level, bool) or not isinstance(level, int) or level not in LEVELS:
            raise ValueError(f"level must be an integer from 1 (small) to 5 (hard), got {level!r}")
        super().__init__(render_mode)
        self.level = level

    @property
    def anchor(self) -> Anchor | None:
        """What ``random_reply`` scores at this level."""
        return self.anchors.get(self.level)

    @abstractmethod
    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a task of ``self.level`` from the names, values and layouts of ``split``; a pure function of both."""

    def choose_task(self, seed: int | None, split: Split) -> Task:
        """Draw the task from the environment's own generator, which ``reset`` has seeded."""
        return self.draw_task(Draw(self.np_random), split)


def _info(progress: float, success: bool, malformed: bool, error: str | None) -> dict[str, Any]:
    return {"progress": progress, "success": success, "malformed": malformed, "error": error}


def _split(options: dict[str, Any] | None, splits: tuple[Split, ...]) -> Split:
    """Read the one reset option there is."""
    if not options:
        return "eval"
    for name in options:
        if name != "split":
            hint = " (did you mean 'split'?)" if get_close_matches(str(name), ["split"]) else ""
            raise ValueError(f"reset knows the option 'split' only, got {name!r}{hint}")
    split = options["split"]
    if split not in ("eval", "train"):
        raise ValueError(f"the split must be 'eval' or 'train', got {split!r}")
    if split not in splits:
        raise ValueError(f"this environment has no split {split!r}: its tasks are the rows of a test file; use 'eval'")
    return cast(Split, split)
