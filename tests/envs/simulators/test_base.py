"""Simulators that may not be installed: what is said then, and how a command is read. No simulator is played here."""

from __future__ import annotations

import sys

import gymnasium as gym
import pytest

from acgym.acbench import TASKS
from acgym.envs.world.simulators.base import MAX_COMMAND_CHARS, read_command
from acgym.rows import RowEnv
from acgym.suites import environment_class, suite_named
from tests.helpers.registry import SIMULATED

PACKAGES = ("minigrid", "scienceworld", "textworld", "jericho", "fast_downward")
GENERATE = [env_id for env_id in SIMULATED if not issubclass(environment_class(env_id), RowEnv)]
"""Those that need no files: what is missing is the package."""


@pytest.fixture
def without_simulators(monkeypatch):
    for name in [*PACKAGES, *(name for name in sys.modules if name.split(".")[0] in PACKAGES)]:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("env_id", GENERATE)
def test_a_missing_package_is_one_sentence_with_the_command(env_id, without_simulators):
    with pytest.raises(ImportError, match=r"^[^\n]*pip install 'acgym\[\w+\]'$"):
        gym.make(env_id)


@pytest.mark.parametrize("env_id", SIMULATED)
def test_no_suite_of_the_registry_plays_what_may_be_missing(env_id):
    assert environment_class(env_id).needs
    assert gym.spec(env_id).max_episode_steps
    for suite in ("full", "quick", "world"):
        assert env_id not in suite_named(suite)
    assert env_id not in {play.id for task in TASKS for play in (task.native,) if play}


@pytest.mark.parametrize(
    ("reply", "command"),
    [
        ("look", "look"),
        ("I think.\n\nAction: open  door", "open door"),
        ("ACTION: `go north`.", "go north"),
        ("Action: a\nAction: b\nthen wait", "b"),
        ("**Action:** take lamp", "take lamp"),
        ("first\nsecond\n", "second"),
        ("Action:", None),
        ("", None),
        (" \n*", None),
        ("x" * MAX_COMMAND_CHARS, "x" * MAX_COMMAND_CHARS),
        ("x" * (MAX_COMMAND_CHARS + 1), None),
        ("go\x00north", None),
        ("go \ud800", None),
        ("öffne", None),
    ],
)
def test_the_command_stands_behind_the_last_mark_or_in_the_last_line(reply, command):
    assert read_command(reply) == command
