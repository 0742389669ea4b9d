"""The failure classes: each rule by hand, its precedence, and that every unsolved episode has exactly one class."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.agents.scripted import Random, Silent
from acgym.analysis.failure import CLASSES, RULES, Case, Failure, classify
from acgym.loop import play
from acgym.record.episode import Episode
from tests.helpers.recorded import CLASSES_OF, KINDS, UNCLEAR, Faulty, bad, broken, episode, turn
from tests.helpers.registry import PLAYED


def call(name, **arguments):
    return json.dumps({"name": name, "arguments": arguments})


SOLVED = episode([turn(call("open", id=1), 0.5), turn(call("send", id=1), 1.0), turn("Done.", 1.0)], success=True)


@pytest.mark.parametrize(
    ("turns", "fields", "found"),
    [
        ([bad()], {}, ("format", 0)),
        ([turn("a", 0.5), bad("?", 0.5), turn("b", 0.5, error="unfinished")], {}, ("format", 1)),
        ([turn("a", 0.5), bad("?", 0.5), turn("b", 0.5), turn("c", 0.5, error="odd")], {}, ("odd", 3)),
        ([bad(), turn("a", 0.5), turn("b", 0.5, error="wrong_value")], {}, ("wrong_argument", 2)),
        ([bad(finish_reason="length")], {}, ("truncation", 0)),
        ([bad(), bad(finish_reason="length"), bad()], {}, ("format", 0)),
        ([bad("?", finish_reason="length")] * 2 + [bad()] * 2, {}, ("truncation", 0)),
        ([bad()] * 30, {"truncated": True}, ("format", 0)),
        ([turn("look")] * 30, {"truncated": True}, ("loop", 1)),
        ([turn(a) for a in "abababab"], {"truncated": True}, ("loop", 2)),
        ([turn(a) for a in "aabb"], {"truncated": True}, ("lost_track", 0)),
        ([turn(a) for a in "aabcdefa"], {"truncated": True}, ("lost_track", 0)),
        ([turn("x", error="unknown_tool"), turn("Done.", error="unfinished")], {}, ("wrong_tool", 0)),
        ([turn("Done.", error="unfinished")], {}, ("premature_stop", 0)),
        ([turn("plan", 0.6, error="missing_step")], {}, ("premature_stop", 0)),
        ([turn("plan", 0.6, error="wrong_order")], {}, ("wrong_order", 0)),
        ([turn("a", 0.5), turn("close", 0.5, error="closed")], {"truncated": True}, ("wrong_order", 1)),
        ([turn(a) for a in "abc"], {"truncated": True}, ("lost_track", 0)),
        ([turn("a"), turn("b", 0.2), turn("c", 0.4), turn("d", 0.4)], {"truncated": True}, ("truncation", 3)),
        ([turn("a", 0.4), turn("b", 0.4), turn("c", 0.4), turn("d", 0.4)], {"truncated": True}, ("lost_track", 1)),
        ([turn("a")], {}, ("lost_track", 0)),
        ([turn("a", error="my_tool_problem")], {}, ("my_tool_problem", 0)),  # nobody stated a class for these
        ([turn("a", error="odd"), turn("b", error="wrong_value")], {}, ("odd", 0)),
        ([], {}, ("lost_track", 0)),
    ],
)  # fmt: skip
def test_rules_by_hand(turns, fields, found):
    assert classify(episode(turns, **fields)) == Failure(*found)


@pytest.mark.parametrize(
    ("action", "error", "found"),
    [
        (call("send", id=1), "failed_call", "wrong_order"),
        (call("send", id=2), "failed_call", "wrong_argument"),
        (call("drop", id=1), "wrong_call", "wrong_tool"),
        (f"[{call('send', id=1)}, {call('open', id=1)}]", "wrong_call", "wrong_order"),
        (f"[{call('send', id=1)}, {call('drop', id=1)}]", "wrong_call", "wrong_tool"),
        (call("send", id=1), "bad_arguments", "wrong_argument"),
        (call("drop", id=1), "odd", "odd"),
        ("Done.", None, "premature_stop"),
        ("Answer: 4", None, "wrong_tool"),
    ],
)  # fmt: skip
def test_what_an_error_leaves_open_is_read_off_the_solved_episode(action, error, found):
    assert classify(episode([turn(action, error=error)]), SOLVED).kind == found


def test_words_of_a_text_action_are_tool_and_arguments():
    solved = episode([turn("Thought: x\nAction: take mug", 1.0)], success=True)
    lost = episode([turn("Thought: y\nAction: take cup", error="not_here")])
    assert classify(lost, solved).kind == "wrong_argument"
    assert classify(episode([turn("Action: heat mug", error="not_here")]), solved).kind == "wrong_tool"


def test_a_verdict_at_the_end_is_that_of_the_turn_that_earned_it():
    turns = [
        turn(call("drop", id=1), error="wrong_call"),
        turn(call("send", id=1), 0.5),
        turn("Done.", 0.5, error="wrong_call"),
    ]
    assert classify(episode(turns), SOLVED) == Failure("wrong_tool", 0)
    assert classify(episode(turns, truncated=True), SOLVED) == Failure("wrong_order", 2)


def test_only_a_solved_reference_of_the_same_task_counts():
    lost = episode([turn(call("drop"), error="wrong_call")])
    assert classify(lost, SOLVED).kind == "wrong_tool"
    assert classify(lost, replace(SOLVED, success=False)).kind == "wrong_argument"
    with pytest.raises(ValueError, match="same task"):
        classify(lost, replace(SOLVED, seed=5))


def test_what_was_not_lost_has_no_class():
    assert classify(SOLVED) is None
    assert classify(broken(SOLVED)) is None


TURN = st.builds(
    lambda action, error, form, cut, up: (bad if form else turn)(
        action, up / 8, error=None if form else error, finish_reason="length" if cut else "stop"
    ),
    st.sampled_from(["a", "b", "Done.", call("open", id=1), call("f")]),
    st.none() | st.sampled_from([*KINDS, "strange", ""]),
    st.booleans(), st.booleans(), st.integers(0, 8),
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(TURN, max_size=8), st.booleans(), st.booleans())
def test_every_unsolved_episode_has_exactly_one_class(turns, truncated, referred):
    made = episode(turns, truncated=truncated)
    found = classify(made, SOLVED if referred else None)
    assert found is not None
    assert found.kind in (*CLASSES, "strange", "")
    assert 0 <= found.turn < max(1, len(turns))
    assert classify(made, SOLVED if referred else None) == found
    if turns:
        gains = [i for i, one in enumerate(made.turns) if one.reward > 0]
        case = Case(made, SOLVED if referred else None, min(gains[-1] + 1, len(turns) - 1) if gains else 0)
        claims = [claim for rule in RULES if (claim := rule(case)) is not None]
        assert found == (claims[0] if claims else Failure("lost_track", case.start))


def test_environments_state_classes_that_there_are():
    assert set(KINDS.values()) <= set(CLASSES)
    assert all(one.unclear_errors <= one.error_kinds.keys() for one in CLASSES_OF)
    assert set(UNCLEAR) == {"failed_call", "wrong_call", "not_here", "cannot_open", "wrong_place"}


def test_a_record_that_holds_no_kinds_is_classed_as_it_was():
    """Lines of format 1 hold none: the words that acgym's environments had then still have their classes."""

    def written_before(made):
        row = json.loads(made.to_line()) | {"format": 1}
        for name in ("heuristic_success", "heuristic_progress", "error_kinds", "unclear_errors"):
            del row[name]
        return Episode.from_line(json.dumps(row))

    assert classify(written_before(episode([turn("Done.", error="unfinished")]))).kind == "premature_stop"
    assert classify(written_before(episode([turn("a", error="odd")]))).kind == "odd"
    wrong = written_before(episode([turn(call("drop", id=1), error="wrong_call")]))
    assert classify(wrong).kind == "wrong_argument"
    assert classify(wrong, SOLVED).kind == "wrong_tool"
    assert set(written_before(SOLVED).error_kinds) <= set(KINDS)
    assert classify(episode([turn("Done.", error="unfinished")], error_kinds={})).kind == "unfinished"


@pytest.mark.parametrize("env", PLAYED)
@pytest.mark.parametrize("level", [1, 3])
def test_every_kind_of_error_of_our_environments_is_known(env, level):
    played = play(Random(), env, range(60), kwargs={"level": level})
    kinds = {one.error for made in played for one in made.turns if one.error is not None}
    assert kinds <= {*KINDS, *CLASSES}
    assert all((classify(made) is None) == made.success for made in played)


def test_faults_of_real_episodes():
    def lost(env, slip, seeds=range(8)):
        solved = play(Faulty("dense", lambda at: None), env, seeds, kwargs={"level": 1})
        played = play(Faulty("q", slip), env, seeds, kwargs={"level": 1})
        return {found for a, b in zip(solved, played, strict=True) if (found := classify(b, a)) is not None}

    tool, flow, needle, house = PLAYED
    assert {made.kind for made in lost(tool, lambda at: call("nothing") if at == 0 else "Done.")} == {"wrong_tool"}
    assert lost(tool, lambda at: "Done.") == {Failure("premature_stop", 0)}
    assert lost(needle, lambda at: "Answer: 0000") == {Failure("wrong_argument", 0)}
    assert lost(flow, lambda at: "Node:\n1: fly to the moon\nEdge: (START,1) (1,END)") == {Failure("wrong_tool", 0)}
    assert lost(house, lambda at: "Action: look") == {Failure("loop", 1)}
    assert lost(house, lambda at: f"Action: go to moon {at}") == {Failure("wrong_argument", 0)}
    for env in PLAYED:
        assert {classify(made) for made in play(Silent(), env, range(4))} == {Failure("format", 0)}
