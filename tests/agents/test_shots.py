"""Solved tasks of the training split stand in front of a conversation, and the record says how many."""

from __future__ import annotations

import pytest

from acgym.agents.base import Agent
from acgym.agents.shots import ShownAgent, examples
from acgym.demonstrations import demonstrations
from acgym.experiment.run import run_comparison
from acgym.experiment.settings import prepare
from acgym.loop import play
from acgym.record.replay import replay_episode
from acgym.record.run import Run
from acgym.types import Reply

NEEDLE, TOOL_CALL, HOUSEHOLD = "ACB/Needle-v0", "ACB/ToolCall-v0", "ACB/Household-v0"


class Heard(Agent):
    """Says the same whatever it hears, and notes what it heard."""

    name = "heard"

    def __init__(self, *said):
        self.said, self.heard = said, []

    async def reply(self, messages, tools):
        self.heard.append(list(messages))
        text = self.said[sum(message.role == "assistant" for message in messages) % len(self.said)]
        return Reply(text, text)


def test_examples_come_first_and_are_no_part_of_the_episode():
    inner = Heard("Answer: 1")
    (episode,) = play(ShownAgent(inner, 2, {"level": 1}), NEEDLE, [0], kwargs={"level": 1})
    (alone,) = play(Heard("Answer: 1"), NEEDLE, [0], kwargs={"level": 1})
    assert [turn.observation for turn in episode.turns] == [turn.observation for turn in alone.turns]
    (heard,) = inner.heard
    assert [message.role for message in heard] == ["user", "assistant", "user", "assistant", "user"]
    assert heard[-1].content == episode.turns[0].observation
    assert heard[0].content != heard[2].content
    assert replay_episode(episode) is None


def test_examples_are_the_same_for_every_episode_and_solved():
    two = examples(TOOL_CALL, '{"level":1}', 2)
    assert two == examples(TOOL_CALL, '{"level":1}', 2)
    assert {message.role for message in two} == {"user", "assistant", "tool"}
    played = {d.messages[0].content for d in demonstrations(TOOL_CALL, range(50), "train", level=1)}
    assert two[0].content not in played


def test_shots_out_of_range_or_without_a_training_split_are_refused():
    with pytest.raises(ValueError, match="from 0 to 16"):
        ShownAgent(Heard(""), 17, {})
    with pytest.raises(ValueError, match="from 0 to 16"):
        prepare(["random"], [NEEDLE], shots=-1)
    with pytest.raises(ValueError, match="2 or more"):
        prepare(["random"], [NEEDLE], malformed_limit=1)


def test_equal_malformed_replies_end_an_episode():
    (long,) = play(Heard("hm"), HOUSEHOLD, [0])
    (short,) = play(Heard("hm"), HOUSEHOLD, [0], malformed_limit=3)
    assert len(short.turns) == 3 < len(long.turns)
    assert (short.outcome, short.truncated, short.success) == ("finished", True, False)
    (changing,) = play(Heard("hm", "well", "so", "er"), HOUSEHOLD, [0], malformed_limit=3)
    assert len(changing.turns) == len(long.turns)
    assert replay_episode(short) is None


def test_a_run_records_both(tmp_path):
    settings = prepare(["silent"], [HOUSEHOLD], episodes=2, level=1, shots=1, malformed_limit=2)
    run_comparison(settings, tmp_path)
    run = Run.read(tmp_path)
    assert (run.settings["shots"], run.settings["malformed_limit"]) == (1, 2)
    assert [len(episode.turns) for episode in run.episodes("silent")] == [2, 2]
    assert "shots" not in prepare(["silent"], [HOUSEHOLD], episodes=2).to_dict()
