"""The text space in gymnasium's vector environments: processes share the observations, without anything being asked."""

from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import pytest
from gymnasium.vector.utils.shared_memory import (
    create_shared_memory,
    read_from_shared_memory,
    write_to_shared_memory,
)

from acgym.space import SHARED_BYTES, SharedTexts, Utf8


def test_a_text_is_read_as_it_was_written_and_the_view_shows_the_latest():
    space = Utf8(100)
    memory = create_shared_memory(space, n=3)
    view = read_from_shared_memory(space, memory, n=3)
    assert tuple(view) == ("", "", "")
    write_to_shared_memory(space, 1, "grün 😀\nend", memory)
    write_to_shared_memory(space, 2, "a" * 100, memory)
    kept = copy.deepcopy(view)
    assert kept == ("", "grün 😀\nend", "a" * 100)
    assert type(kept) is tuple
    write_to_shared_memory(space, 1, "x", memory)
    assert view[1] == view[-2] == "x"
    assert view[1:] == ("x", "a" * 100)
    assert kept[1] == "grün 😀\nend"
    with pytest.raises(IndexError):
        view[3]


def test_a_text_that_does_not_fit_is_refused_in_a_sentence():
    texts = SharedTexts(1, 10**9)
    with pytest.raises(ValueError, match=r"does not fit into shared memory, at most 4,194,304 do.*shared_memory"):
        texts.write(0, "a" * (SHARED_BYTES + 1))
    texts.write(0, "a" * SHARED_BYTES)
    assert texts[0] == "a" * SHARED_BYTES


def test_no_memory_is_taken_before_it_is_written():
    """A place for 64 of the longest observations there may be is made at once."""
    memory = create_shared_memory(Utf8(10_000_000), n=64)
    write_to_shared_memory(Utf8(10_000_000), 63, "last", memory)
    assert memory[63] == "last"


def test_the_memory_is_for_processes_that_are_started_with_it():
    with pytest.raises((RuntimeError, TypeError)):  # by anything but the start of a process
        pickle.dumps(SharedTexts(1, 10))


def _played(mode: str, **more: object) -> list[tuple[str, ...]]:
    envs = gym.make_vec("ACB/Needle-v0", num_envs=2, vectorization_mode=mode, vector_kwargs=more, level=1)
    try:
        first, _ = envs.reset(seed=0)
        second, *_ = envs.step(("nothing", "Answer: 1"))
        return [tuple(first), tuple(second)]
    finally:
        envs.close()


def test_async_environments_with_defaults_show_what_sync_ones_do():
    shown = _played("async")
    assert shown == _played("sync")
    assert shown[0] != shown[1]


@pytest.mark.slow
def test_fresh_interpreters_share_the_memory_too():
    assert _played("async", context="spawn") == _played("sync")
