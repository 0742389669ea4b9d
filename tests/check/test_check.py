"""The tester is tested: each clause is broken by one small environment, and named by its sentence."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import acgym
from acgym.check import check
from acgym.check import contract as c
from acgym.check.contract import ContractError, agrees
from acgym.types import Anchor
from tests.helpers.broken import (
    AnyLevel,
    AnyOption,
    Babbler,
    BadOracle,
    Bonus,
    Braggart,
    Counting,
    Endless,
    ExtraAtReset,
    Generous,
    Gullible,
    Lottery,
    MissingAtStep,
    Mute,
    NoSpace,
    OneStream,
    Painter,
    Parrot,
    Single,
    Slow,
    Surrogate,
    TooMuch,
    TrainsByDefault,
    Trusting,
    Untrained,
)
from tests.helpers.toys import ECHO, Echo


def violations(env, **kwargs) -> tuple[str, ...]:
    with pytest.raises(ContractError) as caught:
        check(env, **{"seeds": 6, "max_episode_steps": 8, **kwargs})
    return caught.value.violations


def test_an_environment_that_keeps_its_contract_passes():
    report = acgym.check.check(ECHO, seeds=20, level=2)
    assert (report.env, report.random_episodes) == (ECHO, 100)
    assert report.steps > 20 * 2 * 5
    assert 0.1 < report.random.progress < 0.4
    assert check(gym.make(ECHO, level=2), seeds=20) == report
    of_class = check(Echo, seeds=20, level=2, max_episode_steps=8)  # plays episodes of its own: its id is another
    assert (of_class.env, of_class.random_episodes) == ("Echo-v0", 100)


CASES = [
    (ExtraAtReset, c.RESET_INFO, ("error, malformed, progress, seed, success, task, tools",)),
    (MissingAtStep, c.STEP_INFO, ("malformed, progress, success",)),
    (NoSpace, c.SPACES, ("Text", "Utf8")),
    (Surrogate, c.OBSERVATION, (0, "str")),
    (TooMuch, c.PROGRESS, (0, 4 / 3)),
    (Bonus, c.REWARDS, (0, 4.0, 1.0)),
    (Counting, c.SAME_SEED, (3,)),
    (Lottery, c.RANDOM_STATE, ("random",)),
    (BadOracle, c.ORACLE, (0, "termination", "no success", 0.0)),
    (Endless, c.ORACLE, (0, "no termination", "no success", 1.0)),
    (Generous, c.SILENCE, (0, "success", 1.0)),
    (Generous, c.HOSTILE_SUCCEEDS, ('"" (0 characters)',)),
    (Babbler, c.RANDOM_LEGAL, (0, '"no words\\x0a"')),
    (Trusting, c.HOSTILE_RAISES, ('"{" (1 characters)', "NotJson")),
    (Gullible, c.HOSTILE_SUCCEEDS, ('"{"name": "__class__", "argumen"... (56 characters)',)),
    (Parrot, c.HOSTILE_ANSWER, ('"\\ud800" (1 characters)',)),
    (Painter, c.RENDER, ("ndarray",)),
    (TrainsByDefault, c.DEFAULT_SPLIT, ()),
    (Untrained, c.NO_TRAINING, ("was accepted",)),
    (AnyOption, c.OPTION, ({"split": "test"}, "was accepted")),
    (AnyLevel, c.LEVEL, (0, "was accepted")),
    (Single, c.VECTOR, ("they told something else",)),
    (Mute, c.MEMBERS, ("oracle and no random_reply and no task",)),
]


@pytest.mark.parametrize(("broken", "clause", "case"), CASES)
def test_a_broken_clause_is_named(broken, clause, case):
    assert clause.format(*case) in violations(broken)


@pytest.mark.parametrize("level", [0, -1, "3"])
def test_only_the_broken_clause_is_named(level):
    assert violations(AnyLevel, level=2) == (c.LEVEL.format(0, "was accepted"),)
    assert violations(Babbler)[0].startswith("random_reply must be in the stated grammar")


def test_a_wrong_anchor_is_named():
    (message,) = violations(Braggart, seeds=20)
    assert message.startswith("random_reply must score what anchors state, success is stated as 0.9000 and was 0.0")
    assert message.endswith(" in 100 episodes")


def test_a_wrong_anchor_of_another_level_is_named():
    class Modest(Echo):
        anchors = Echo.anchors | {4: Anchor(0.9, 0.25)}

    (message,) = violations(Modest, seeds=20)
    assert message.startswith("random_reply must score what anchors state, success is stated as 0.9000")
    assert message.endswith(" in 100 episodes at level 4")


def test_a_wrong_heuristic_is_named():
    class Boastful(Echo):
        heuristic_anchors = dict.fromkeys((1, 2, 3, 4, 5), Anchor(1.0, 1.0))

        def heuristic_reply(self):
            return self.observations[0].split()[-self.level + len(self.replies)] if self.level != 4 else "zz"

    (message,) = violations(Boastful)
    assert message == c.HEURISTIC.format("success", 1.0, 0.0, 30, " at level 4")
    silent = type("Silent", (Boastful,), {"heuristic_anchors": {}})
    assert violations(silent) == (c.HEURISTIC_STATED.format("score", ""),)
    mute = type("Mute", (Boastful,), {"heuristic_reply": lambda self: None})
    assert violations(mute) == (c.HEURISTIC_STATED.format("reply", ""),)


def test_an_error_that_no_kind_was_stated_for_is_named():
    class Loose(Echo):
        error_kinds = {}  # noqa: RUF012

    assert violations(Loose) == (c.ERROR_KIND.format("wrong_word"),)


def test_one_stream_for_both_splits_is_named():
    assert violations(OneStream) == (c.SPLITS.format(30, 30),)


def test_a_missing_step_limit_is_named():
    assert violations(Echo, max_episode_steps=None) == (c.LIMIT,)


def test_a_slow_answer_is_named(monkeypatch):
    monkeypatch.setattr(c, "SECONDS_PER_STEP", 0.04)
    said = violations(Slow)
    assert any(line.startswith('any text must be answered within 0.04 s of processor time, "null"') for line in said)


def test_an_environment_that_raises_is_named_with_the_part():
    class Raises(Echo):
        def random_reply(self, rng):
            raise ZeroDivisionError("mine")

    said = violations(Raises)
    assert said == (c.RAISES.format("the part 'same_seed' of the check", "ZeroDivisionError: mine"),)


def test_a_warning_of_gymnasium_is_named():
    class Unsure(Echo):
        metadata = {"render_modes": ["ansi"]}  # noqa: RUF012

        def reset(self, *, seed=None, options=None, extra=None):
            return super().reset(seed=seed, options=options)

        def __init__(self, level=3, render_mode=None):
            super().__init__(level, render_mode)
            self.metadata = {}

    assert any(
        line.startswith("Gymnasium's own checker must pass without a warning, it said: ") for line in violations(Unsure)
    )


def test_all_violations_come_at_once():
    class Hopeless(OneStream, BadOracle):
        pass

    with pytest.raises(ContractError) as caught:
        check(Hopeless, seeds=2, max_episode_steps=8)
    oracle = c.ORACLE.format(0, "termination", "no success", 0.0)
    assert str(caught.value) == f"Hopeless-v0 breaks its contract:\n- {oracle}\n- {c.SPLITS.format(10, 10)}"


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(TypeError, match="give the class, the registered id, or the result of"):
        check(Echo())
    with pytest.raises(ValueError, match="at least 2 seeds"):
        check(ECHO, seeds=1)


def test_every_clause_is_broken_by_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    clauses = [name for name, text in vars(c).items() if name.isupper() and isinstance(text, str)]
    tested = {"ANCHOR", "GYMNASIUM", "HOSTILE_SLOW"}  # by their beginning
    assert [name for name in clauses if f"c.{name}" not in source and name not in tested] == []


@given(st.floats(0, 1), st.integers(50, 400), st.integers(0, 2**32 - 1))
def test_a_true_anchor_agrees(p, n, seed):
    sample = (np.random.default_rng(seed).random(n) < p).astype(float)
    assert agrees(list(sample), float(sample.mean()))
    assert agrees(list(sample), min(1.0, float(sample.mean()) + 0.004))
    assert not agrees([0.0] * n, 0.5)


def test_false_alarms_are_rare():
    rng = np.random.default_rng(0)
    alarms = sum(
        not agrees(list((rng.random(100) < p).astype(float)), p) for p in (0.01, 0.05, 0.3, 0.9) for _ in range(500)
    )
    assert alarms <= 4
