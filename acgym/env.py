"""The base of acgym's environments: a task is drawn and told, each action is judged, reward is the gain in progress."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Self, cast

import gymnasium as gym
import numpy as np

from acgym.draw import Draw
from acgym.seeds import episode_generator, named_arguments
from acgym.space import Utf8
from acgym.text import MAX_ACTION_CHARS
from acgym.types import Anchor, FailureClass, Json, Split, Task

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
    """A decision error: the action was well formed but wrong; a short stable kind such as ``"wrong_tool"``, one of the
    environment's ``error_kinds`` or a failure class."""
    found: bool | None = None
    """Whether the right content was in the action, whatever its form; None where the environment does not tell content
    and form apart. True with ``success``."""


class TaskEnv(gym.Env[str, str]):
    """A Gymnasium environment whose observations and actions are text, wherever its tasks come from.

    :class:`TextEnv` generates its tasks, :class:`acgym.rows.RowEnv` reads them from a file. Either way a subclass
    supplies ``tell`` (set the state of the task up and say it in words), ``judge`` (what one action does), ``oracle``
    (the reply an expert would give now) and ``random_reply`` (a legal reply that knows nothing). Everything else of
    the contract is kept here:

    * reward is the increase in progress, so that an episode's rewards sum to its final progress in [0, 1];
    * ``info`` holds ``progress``, ``success``, ``malformed`` and ``error`` after every step, and at reset also ``task``
      (a :class:`Task`) and ``tools`` (a tuple of tool specs); after a step also ``found`` where the outcome says it;
    * any string is a legal action; one that cannot be read earns nothing and is answered with a sentence.

    ``tell`` should tell the step limit, which :meth:`limit_line` says.

    Args:
        render_mode: ``"ansi"`` or None.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012  (Gymnasium's own type)
    env_id: ClassVar[str] = ""
    """Id that the class is registered under. An instance that ``gym.make`` made has its id from there; one that was
    constructed directly has this one, and plays the same episodes. Without one, the class's name stands for it."""
    capability: ClassVar[str]
    """Which of the four agentic capabilities the environment measures."""
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {}
    """Kinds of decision error that ``judge`` can name -> the failure class that each belongs to. The name of a class is
    a kind without being stated."""
    unclear_errors: ClassVar[frozenset[str]] = frozenset()
    """Those kinds that say that an action did not work, not what was wrong with it: there a lost episode is compared
    with a solved one of the same task, if there is one."""
    needs: ClassVar[str] = ""
    """What must be here beside acgym before an environment can be made: files of the user, or another package; the
    empty string: nothing. Where it is said, no suite that is made of the registry plays the environment."""
    splits: ClassVar[tuple[Split, ...]]
    """The splits that ``reset`` draws from."""
    max_action_chars: ClassVar[int] = MAX_ACTION_CHARS
    """Longer actions are answered as malformed without being read. An environment that asks for long replies states
    more; its parsers must be linear all the same."""

    _seeds_itself: ClassVar[bool] = False
    """Whether ``choose_task`` makes the generator of a seed, so that Gymnasium need not make one first."""

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be None or 'ansi', got {render_mode!r}")
        self.render_mode = render_mode
        self.action_space = Utf8(self.max_action_chars)
        self.observation_space = Utf8(MAX_OBSERVATION_CHARS)
        self._task: Task | None = None
        self._progress = 0.0
        self.observations: list[str] = []
        """Every observation of the episode so far."""
        self.replies: list[str] = []
        """Every action of the episode so far."""

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
    def heuristic_anchor(self) -> Anchor | None:
        """What ``heuristic_reply`` scores with these arguments; None if there is none, or it was not measured."""
        return None

    @property
    def silence_may_score(self) -> bool:
        """Whether a reply without any action can be right in the task under way, as where no tool fits the request."""
        return False

    @property
    def id(self) -> str:
        """The id of ``gym.make``, else ``env_id``, else the class's name."""
        return self.spec.id if self.spec is not None else self.env_id or type(self).__name__

    @property
    def max_steps(self) -> int | None:
        """The step limit that the id is registered with; None if it is not, or has none."""
        spec = gym.registry.get(self.id) or gym.registry.get(self.env_id)
        return None if spec is None else spec.max_episode_steps

    def limit_line(self) -> str:
        """Say the step limit, as a line with its end for the rules; the empty string if there is none."""
        return "" if self.max_steps is None else f"You can reply at most {self.max_steps} times.\n"

    @abstractmethod
    def choose_task(self, seed: int | None, split: Split) -> Task:
        """Return the task of an episode from ``seed`` as ``reset`` got it, or from ``self.np_random``."""

    @abstractmethod
    def tell(self) -> str:
        """Set up the state of ``self.task`` and return the first observation: rules, then the task."""

    @abstractmethod
    def judge(self, action: str) -> Outcome:
        """Apply one action (any text of at most ``max_action_chars`` characters) and say what it did; never raise."""

    @abstractmethod
    def oracle(self) -> str:
        """Return the reply that an expert would give now. Playing it to the end scores 1.0 on every task."""

    @abstractmethod
    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a legal reply in the stated grammar that uses no knowledge of the answer."""

    def heuristic_reply(self) -> str | None:
        """Return what the best simple heuristic says now, from ``observations``, ``replies`` and ``task.tools`` alone.

        It plays what needs no language model: a search for words, a fixed order. Nothing else of the task is looked
        at: no reference, no hidden state. None if the environment has no heuristic.
        """
        return None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Choose a task and tell it.

        Args:
            seed: same id, arguments, split and seed give the same episode in any process.
            options: ``{"split": "eval"}`` (default) or ``{"split": "train"}``, if ``splits`` has it.

        Raises:
            ValueError: for an unknown option or split, or a split that the environment does not have.
        """
        if not (self._seeds_itself and type(seed) is int and seed >= 0):
            super().reset(seed=seed)  # refuses what is no seed
        self._task = self.choose_task(seed, _split(options, self.splits))
        self._progress = 0.0
        self.observations, self.replies = [self.tell()], []
        info = _info(0.0, success=False, malformed=False, error=None)
        info["task"] = self._task
        info["tools"] = self._task.tools
        return self.observations[0], info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Judge one action; see the class for what ``info`` holds."""
        if not isinstance(action, str):
            raise TypeError(f"an action is text (str), got {type(action).__name__}")
        self.task  # noqa: B018  (raises before the first reset)
        if len(action) > self.max_action_chars:
            most = self.max_action_chars
            outcome = self.malformed(f"Your reply has {len(action)} characters; at most {most} are read.")
        else:
            outcome = self.judge(action)
        reward = outcome.progress - self._progress
        self._progress = outcome.progress
        self.replies.append(action)
        self.observations.append(outcome.observation)
        info = _info(outcome.progress, outcome.success, outcome.malformed, outcome.error)
        if outcome.found is not None:
            info["found"] = outcome.found
        return outcome.observation, reward, outcome.terminated, False, info

    def malformed(self, sentence: str, found: bool | None = None) -> Outcome:
        """Answer an action that is not in the grammar: nothing changes, the episode goes on."""
        return Outcome(sentence, self._progress, malformed=True, found=found)

    def mistake(self, sentence: str, kind: str) -> Outcome:
        """Answer a well-formed action that is wrong and changes nothing: the episode goes on."""
        return Outcome(sentence, self._progress, error=kind)

    def render(self) -> str:
        """Return what the agent was told last."""
        return self.observations[-1] if self.observations else ""


class TextEnv(TaskEnv):
    """A :class:`TaskEnv` whose tasks are generated, at five levels and in two splits.

    A subclass supplies ``draw_task`` (a frozen row from random choices) beside what every :class:`TaskEnv` supplies.
    ``reset(options={"split": "train"})`` draws from the training stream, which shares nothing with evaluation. A seed
    names other random numbers in every environment, for all arguments and in either split.

    Args:
        level: 1 (small) to 5 (hard); the default is meant for models of about 7B parameters.
        render_mode: ``"ansi"`` or None.
    """

    anchors: ClassVar[Mapping[int, Anchor]]
    """Score of ``random_reply`` for each level over 2,000 evaluation seeds. Silence scores 0, the oracle 1."""
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {}
    """Score of ``heuristic_reply`` for each level over 2,000 evaluation seeds; empty where there is none."""
    splits: ClassVar[tuple[Split, ...]] = ("eval", "train")
    _seeds_itself = True
    _arguments: Mapping[str, Json]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Note the arguments, defaults included: they are part of what seeds an episode."""
        self = super().__new__(cls)
        self._arguments = named_arguments(cls, args, kwargs)
        return self

    def __init__(self, level: int = DEFAULT_LEVEL, render_mode: str | None = None) -> None:
        if isinstance(level, bool) or not isinstance(level, int) or level not in LEVELS:
            raise ValueError(f"level must be an integer from 1 (small) to 5 (hard), got {level!r}")
        super().__init__(render_mode)
        self.level = level

    @property
    def anchor(self) -> Anchor | None:
        """What ``random_reply`` scores at this level."""
        return self.anchors.get(self.level)

    @property
    def heuristic_anchor(self) -> Anchor | None:
        """What ``heuristic_reply`` scores at this level."""
        return self.heuristic_anchors.get(self.level)

    @abstractmethod
    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw a task of ``self.level`` from the names, values and layouts of ``split``; a pure function of both."""

    def choose_task(self, seed: int | None, split: Split) -> Task:
        """Draw the task from the environment's own generator, seeded with all that names the episode."""
        if seed is not None:
            self._np_random = episode_generator(self.id, {**self._arguments, "level": self.level}, split, seed)
            self._np_random_seed = int(seed)
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
