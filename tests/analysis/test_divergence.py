"""First differences on hand-made pairs with known answers, and what no pair may violate."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.agents.scripted import Oracle, Random
from acgym.analysis.divergence import decision, first_difference
from acgym.analysis.divergence_summary import summarise
from acgym.analysis.failure import CLASSES
from acgym.loop import play
from tests.helpers.recorded import bad, broken, episode, turn
from tests.helpers.registry import PLAYED

CALL, SAME, OTHER = (
    '{"name": "f", "arguments": {"a": 1, "b": 2}}',
    '[{"arguments":{"b":2,"a":1},"name":"f"}]',
    '{"name": "f"}',
)


@pytest.mark.parametrize(
    ("one", "two", "equal"),
    [
        (CALL, SAME, True), (CALL, OTHER, False), (OTHER, '{"name": "f", "arguments": {}}', True),
        ("Thought: a.\nAction: go to x", "Thought: b.\n\nAction:  go to x", True),
        ("Action: go to x", "Action: go to y", False), ("Action: go\nto Answer: 4", "I say Answer: 4", True),
        ("so\nNode:\n1: a\nEdge: (START,1)", "Node: 1: a Edge: (START,1)", True), ("a  b", " a b\n", True),
        ("", " ", True), ("A", "a", False), ("[" * 19_000, "[" * 18_999, False),
    ],
)  # fmt: skip
def test_a_decision_is_what_an_action_comes_to(one, two, equal):
    assert (decision(one) == decision(two)) is equal


def test_turn_and_token_by_hand():
    dense = episode(
        [turn("a", token_ids=(1, 2), prompt_ids=(7,)), turn("b", token_ids=(3, 4, 5), prompt_ids=(8,), kept=3)],
        success=True,
    )
    other = episode([dense.turns[0], replace(dense.turns[1], text="c", action="c", token_ids=(3, 4, 6))], agent="q")
    found = first_difference(dense, other)
    assert found is not None
    assert (found.turn, found.token, found.decision_turn, found.equivalent) == (1, 2, 1, False)
    assert (found.lost, found.won, found.kept, found.observation) == (True, False, False, "now?")
    assert (found.dense, found.other) == (dense.turns[1], other.turns[1])
    longer = replace(other, turns=(dense.turns[0], replace(other.turns[1], token_ids=(3, 4, 5, 6))))
    assert first_difference(dense, longer).token == 3
    foreign = replace(other, turns=(dense.turns[0], replace(other.turns[1], prompt_ids=(9,))))
    assert first_difference(dense, foreign).token is None
    assert first_difference(dense, episode([turn("a"), turn("c")])).token is None


def test_words_that_differ_and_mean_the_same():
    dense = episode([turn(CALL, 0.5), turn("Done.", 1.0)], success=True)
    other = episode([turn(SAME, 0.5), turn("Done.", 1.0)], success=True)
    found = first_difference(dense, other)
    assert (found.turn, found.decision_turn, found.equivalent, found.kept) == (0, None, True, True)
    later = first_difference(dense, episode([turn(SAME, 0.5), turn("No.", 0.5)]))
    assert (later.turn, later.decision_turn, later.equivalent, later.lost) == (0, 1, True, True)
    assert later.progress_lost == 0.5


def test_the_same_words_with_another_effect_are_another_decision():
    found = first_difference(episode([turn("a b", 1.0)]), episode([bad("a  b")]))
    assert found.decision_turn == 0


def test_one_that_ends_before_the_other():
    dense = episode([turn("a", 0.5), turn("b", 1.0)], success=True)
    found = first_difference(dense, episode([turn("a", 0.5)]))
    assert (found.turn, found.token, found.decision_turn, found.other, found.observation) == (1, None, 1, None, "now?")
    assert found.progress == 0.5
    back = first_difference(episode([turn("a", 0.5)]), dense)
    assert (back.turn, back.dense, back.won) == (1, None, True)


def test_equal_episodes_have_no_difference():
    made = episode([turn("a"), turn("b", 1.0)], success=True)
    assert first_difference(made, replace(made, agent="q", seconds=9.0)) is None


@pytest.mark.parametrize(
    ("dense", "other", "words"),
    [
        (episode(seed=1), episode(seed=2), "different tasks"),
        (episode(), broken(episode()), "failed has no outcome"),
        (episode([turn()]), episode([turn(observation="?")]), "seed 0 told dense and dense different things in turn 1"),
        (episode([turn()]), episode([turn()], final_observation="no"), "in turn 2 after the same actions"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(dense, other, words):
    with pytest.raises(ValueError, match=words):
        first_difference(dense, other)


@given(st.lists(st.sampled_from("abc"), max_size=5), st.lists(st.sampled_from("abc"), max_size=5))
def test_the_difference_is_the_first_and_symmetric(ours, theirs):
    dense, other = episode([turn(a) for a in ours]), episode([turn(a) for a in theirs])
    there, back = first_difference(dense, other), first_difference(other, dense)
    assert (there is None) == (ours == theirs)
    if there is not None:
        assert ours[: there.turn] == theirs[: there.turn]
        assert ours[there.turn : there.turn + 1] != theirs[there.turn : there.turn + 1]
        assert (there.turn, there.lost, there.won) == (back.turn, back.won, back.lost)


def test_summary_by_hand():
    dense = [
        episode([turn("a", 0.5), turn("b", 1.0)], success=True, seed=0),
        episode([turn("a", 0.5), turn("b", 1.0)], success=True, seed=1),
        episode([turn("a")], seed=2),
        episode([turn(CALL, 1.0)], success=True, seed=3),
        episode([turn("a", 1.0)], success=True, seed=4),
        broken(episode(seed=5)),
        episode([turn("a")], seed=6),
    ]
    other = [
        episode([turn("a", 0.5), turn("x", 0.5, error="wrong_value")], seed=0),
        episode([turn("x"), turn("a", 0.5), turn("b", 1.0)], success=True, seed=1),
        episode([turn("b", 1.0)], success=True, seed=2),
        episode([turn(SAME, 1.0)], success=True, seed=3),
        episode([turn("a", 1.0)], success=True, seed=4),
        episode(seed=5),
        episode([turn("a")], seed=6),
    ]
    told = summarise(dense, other)
    assert {name: told[name] for name in ("n", "n_failed", "same", "reworded", "diverged", "lost", "won", "kept")} == {
        "n": 6, "n_failed": 1, "same": 2, "reworded": 1, "diverged": 3, "lost": 1, "won": 1, "kept": 1,
    }  # fmt: skip
    assert told["turns"] == [
        {"turn": 0, "diverged": 2, "lost": 0, "won": 1, "kept": 1},
        {"turn": 1, "diverged": 1, "lost": 1, "won": 0, "kept": 0},
    ]
    assert told["lost_classes"] == dict.fromkeys(CLASSES, 0) | {"wrong_argument": 1}
    assert told["unsolved_classes"] == dict.fromkeys(CLASSES, 0) | {"wrong_argument": 1, "lost_track": 1}
    assert told["lost_turns"] == [{"turn": 1, "class": "wrong_argument", "lost": 1}]
    assert told["first_token"] is None


def test_a_summary_of_nothing_is_no_number():
    assert summarise([broken(episode())], [episode()]) == {
        "reason": "no pair in which both agents finished", "n": 0, "n_failed": 1,
    }  # fmt: skip
    assert "different versions" in summarise([episode([turn()])], [episode([turn(observation="?")])])["reason"]


@pytest.mark.parametrize("env", PLAYED)
def test_counts_add_up_on_every_environment(env):
    dense, other = (play(agent, env, range(12), kwargs={"level": 1}) for agent in (Oracle(), Random()))
    told = summarise(dense, other)
    assert told["same"] + told["reworded"] + told["diverged"] == told["n"] == 12
    assert told["lost"] == sum(told["lost_classes"].values()) == sum(not e.success for e in other)
    assert [sum(row[name] for row in told["turns"]) for name in ("diverged", "lost", "kept")] == [
        told["diverged"], told["lost"], told["kept"],
    ]  # fmt: skip
    assert summarise(dense, dense)["same"] == 12
