"""What an environment promises, one sentence a clause, and the texts that it must survive."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from acgym.types import Anchor

GYMNASIUM = "Gymnasium's own checker must pass without a warning, it said: {}"
MEMBERS = "an environment must have oracle(), random_reply(rng) and task, this one has no {}"
LIMIT = "an environment must be registered with max_episode_steps, this one is not"
SPACES = "the observation and action spaces must be acgym.space.Utf8, got {} and {}"
RAISES = "an environment must not raise, {} raised {}"
RESET_INFO = "info after reset must hold error, malformed, progress, success, task and tools, got {}"
STEP_INFO = "info after a step must hold error, malformed, progress and success, and may hold found, got {}"
OBSERVATION = "every observation must lie in the observation space, seed {} gave {}"
PROGRESS = "progress must stay in [0, 1], seed {} gave {}"
REWARDS = "the rewards of an episode must sum to its final progress, seed {} gave {:.6g} and {:.6g}"
SAME_SEED = "the same seed must give the same episode in every instance and in any order, seed {} did not"
RANDOM_STATE = "an environment must draw from self.np_random alone, the global state of {} changed"
ORACLE = "the oracle must terminate the episode with success and progress 1.0, seed {} gave {}, {} and {:.6g}"
SILENCE = "silence must not succeed and must leave progress at 0.0, seed {} gave {} and {:.6g}"
RANDOM_LEGAL = "random_reply must be in the stated grammar, seed {} was answered as malformed: {}"
ANCHOR = "random_reply must score what anchors state, {} is stated as {:.4f} and was {:.4f} in {} episodes{}"
HEURISTIC = "heuristic_reply must score what is stated, {} is stated as {:.4f} and was {:.4f} in {} episodes{}"
HEURISTIC_STATED = "a heuristic needs both heuristic_reply and its stated score, the {} is missing{}"
ERROR_KIND = "every error must be one of error_kinds or a failure class, {!r} is neither"
HOSTILE_RAISES = "no text may make step raise, {} raised {}"
HOSTILE_SUCCEEDS = "a hostile text must not succeed, {} did"
HOSTILE_ANSWER = "the answer to any text must lie in the observation space, the answer to {} does not"
HOSTILE_SLOW = "any text must be answered within {} s of processor time, {} took {:.1f} s"
RENDER = "render() with render_mode='ansi' must return text, got {}"
SPLITS = "evaluation and training must share no task, {} of {} seeds gave a training task that evaluation has too"
DEFAULT_SPLIT = "reset without options must draw from the evaluation split"
NO_TRAINING = "an environment without a training split must refuse split='train' with ValueError, it {}"
OPTION = "reset must refuse options={} with ValueError, it {}"
LEVEL = "an unknown level must be refused with ValueError, level={!r} {}"
VECTOR = "two copies must run in gym.make_vec(vectorization_mode='sync') as they do alone, {}"

STEP_KEYS = {"progress", "success", "malformed", "error"}
RESET_KEYS = STEP_KEYS | {"task", "tools"}
SECONDS_PER_STEP = 5.0
"""Longest processor time for one answer; only a parser that runs away takes so long."""

HOSTILE = (
    *("", " ", "\n", "\x00", "\x1b[2J\x07", "\ud800", "\udfff{", "\ufeff", "\u202e", "null", "true", "NaN"),
    *("{", '{"name": ', '{"name": "a"', "[]", "[[]]", "[null]", '{"x": NaN}', '{"name": {}}'),
    *('{"name": null, "arguments": []}', '{"name": "\\ud800", "arguments": {"\\ud800": "\\udfff"}}'),
    *('{"name": "__class__", "arguments": {"__proto__": 1e999}}', "../../etc/passwd", "__import__('os').abort()"),
    *("[" * 19_000, '{"a":' * 3_800, '{"a":' * 3_000 + "1" + "}" * 3_000, "9" * 19_000, "(" * 19_000, "1: " * 6_000),
    *(" " * 19_999 + "x", "\n" * 19_999, "a " * 9_999, "é" * 20_000, '"' * 19_999, "\\" * 19_999, "(1,2) " * 3_000),
    *("<tool_call>" * 1_000, "x" * 20_001, "x" * 10_000_000),
)
"""Texts that have broken parsers: empty, controls, surrogates, half JSON, deep nesting, huge numbers, great length."""


class ContractError(AssertionError):
    """An environment breaks its contract; ``violations`` has a sentence for each broken clause."""

    def __init__(self, env: str, violations: Sequence[str]) -> None:
        self.violations = tuple(violations)
        super().__init__(f"{env} breaks its contract:\n" + "\n".join(f"- {line}" for line in violations))


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check of an environment that keeps its contract saw."""

    env: str
    """Gymnasium id."""
    steps: int
    """Steps that were judged."""
    random: Anchor
    """What ``random_reply`` scored."""
    random_episodes: int
    """Over how many episodes it did."""
    heuristic: Anchor | None = None
    """What ``heuristic_reply`` scored over as many; None if there is none."""
    not_asked: tuple[str, ...] = ()
    """Why clauses were not asked, a sentence each: an environment whose tasks are rows of a file has no level and no
    training split; one where doing nothing can be right promises less about silence and foreign texts."""


NOT_ASKED = {
    "LEVEL": "LEVEL was not asked: the environment has no level",
    "SPLITS": "SPLITS was not asked: the environment has no training split",
    "SILENCE": "SILENCE and HOSTILE_SUCCEEDS were not asked where the environment says that silence may score",
    "ANCHOR": "ANCHOR was not asked: the environment does not state what random_reply scores",
}
"""Clause -> why it was not asked."""


def splits_of(env: object) -> tuple[str, ...]:
    """Return the splits that an environment has; one that states none has both."""
    return tuple(getattr(env, "splits", ("eval", "train")))


def agrees(values: Sequence[float], stated: float) -> bool:
    """Say whether a mean of values in [0, 1] agrees with ``stated`` within 3.5 standard errors and 0.005.

    Where fewer than 10 episodes would differ from the common score, a sample may show no spread at all and its mean is
    not normal: there the bound is the quantile of the binomial distribution that leaves out as little (1 in 4,300).
    """
    from scipy.stats import binom  # takes long to load, and nothing else here needs it

    n, mean = len(values), float(np.mean(values))
    if min(stated, 1.0 - stated) * n < 10:
        low, high = binom.ppf((_TAIL, 1.0 - _TAIL), n, stated) / n
        return bool(low - 0.005 <= mean <= high + 0.005)
    return abs(mean - stated) <= 3.5 * float(np.std(values)) / math.sqrt(n) + 0.005


_TAIL = 2.3e-4
"""What lies beyond 3.5 standard errors of a normal distribution, on one side."""


def uncoloured(message: object) -> str:
    """Take the colours out of a message of Gymnasium's."""
    return re.sub(r"\x1b\[\d+m", "", str(message)).strip()


def global_random() -> dict[str, object]:
    """Return the state of the generators that no environment may draw from."""
    state: Any = np.random.get_state(legacy=False)
    return {"random": random.getstate(), "numpy.random": (state["state"]["key"].tobytes(), state["state"]["pos"])}


def refusal(attempt: Callable[[], object]) -> str | None:
    """Return None if ``attempt`` raises ValueError, else what it did."""
    try:
        attempt()
    except ValueError:
        return None
    except Exception as error:
        return f"raised {type(error).__name__}"
    return "was accepted"
