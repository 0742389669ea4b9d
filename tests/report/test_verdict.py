"""The sentences of a comparison: word for word from hand-made numbers, and never more than the numbers carry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acgym.analysis.failure import CLASSES
from acgym.report.verdict import WORDS, attribution, verdict
from tests.helpers.results import agent, comparison_row, diverged_row, look_row, read

TOOL, FLOW = "ACB/ToolCall-v0", "ACB/Workflow-v0"


def row(difference, low, high, p, n=100, **more):
    interval = {"low": low, "high": high}
    changed = {"success_difference": difference, "success_interval": interval, "p": p / 2, "p_holm": p, **more}
    return comparison_row(n=n, **changed)


def apart(classes, lost_turns, turns=()):
    return diverged_row(
        lost_classes=dict.fromkeys(CLASSES, 0) | classes,
        lost_turns=[{"turn": turn, "class": kind, "lost": lost} for turn, kind, lost in lost_turns],
        turns=[{"turn": turn, "diverged": lost, "lost": lost, "won": 0, "kept": 0} for turn, lost in turns],
    )


NOTHING_LOST = apart({}, [])


def result(rows, divergence=NOTHING_LOST, handoff=None, name="reference+gptq-w4"):
    agents = [
        {"name": "reference", "comparisons": {}, "divergence": {}, "handoff": None},
        {"name": name, "comparisons": rows, "divergence": {"all": divergence}, "handoff": handoff},
    ]
    return {"settings": {"envs": {env: {} for env in rows}}, "dense": "reference", "agents": agents}


def said(*args, **kwargs):
    [sentence] = verdict(read(result(*args, **kwargs)))
    return sentence


def test_a_loss_and_nothing_shown():
    rows = {TOOL: row(-0.031, -0.05, -0.012, 0.01), FLOW: row(-0.01, -0.045, 0.02, 0.6)}
    assert said(rows) == (
        "gptq-w4 costs 3.1 (95 % interval 1.2 to 5.0) points of ToolCall, nothing that 100 episodes could show of "
        "Workflow (a loss of up to 4.5 points is not ruled out)."
    )


def test_two_losses_a_gain_and_what_was_not_measured():
    rows = {
        TOOL: row(-0.5, -0.6, -0.4, 0.001),
        FLOW: row(-0.25, -0.3, -0.2, 0.001),
        "My/Env-v0": row(0.1, 0.05, 0.2, 0.01),
        "My/Gone-v0": {"reason": "all failed", "n": 0, "n_failed": 100},
    }
    assert said(rows) == (
        "gptq-w4 costs 50.0 (95 % interval 40.0 to 60.0) points of ToolCall and 25.0 (95 % interval 20.0 to 30.0) "
        "points of Workflow, gains 10.0 (95 % interval 5.0 to 20.0) points of My/Env-v0; My/Gone-v0 not measured."
    )


def test_an_interval_that_holds_at_any_time_says_its_own_level():
    sure = row(-0.5, -0.6, -0.4, 0.001) | {"anytime": look_row(confidence=0.9875)}
    assert said({TOOL: sure}) == "gptq-w4 costs 50.0 (98.8 % interval 40.0 to 60.0) points of ToolCall."


def test_the_noise_floor_is_called_what_it_is():
    rows = {TOOL: row(0.0, -0.037, 0.037, 1.0)}
    [told] = verdict(read({**result(rows, name="reference@rerun"), "noise_floor": "reference@rerun"}))
    assert told.startswith("reference played again costs nothing that 100 episodes could show of ToolCall")


def test_nothing_at_all():
    assert said({TOOL: {"reason": "all failed", "n": 0, "n_failed": 3}}) == "gptq-w4: not measured (ToolCall)."
    mixed = {TOOL: row(0.0, -0.037, 0.037, 1.0), FLOW: row(0.0, -0.06, 0.01, 1.0, n=90)}
    assert said(mixed) == (
        "gptq-w4 costs nothing that 90 to 100 episodes could show of ToolCall and Workflow (a loss of up to 6.0 points "
        "is not ruled out in any of them)."
    )
    assert verdict(read({**result({}), "agents": result({})["agents"][:1]})) == []


def test_how_the_lost_ones_were_lost():
    lost = apart(
        {"wrong_argument": 5, "format": 2},
        [(0, "wrong_argument", 1), (1, "wrong_argument", 4), (3, "format", 2)],
        [(0, 4), (1, 3)],
    )
    rows = {TOOL: row(-0.07, -0.1, -0.04, 0.01)}
    assert said(rows, lost).endswith(
        " 71 % of the 7 lost episodes were lost at a wrong argument or value, most often in turn 2; most first took "
        "another way than reference in turn 1."
    )
    scattered = apart({"loop": 6}, [(2, "loop", 3), (5, "loop", 3)], [(0, 2), (1, 2), (2, 2)])
    assert said(rows, scattered).endswith("100 % of the 6 lost episodes were lost in a loop, most often in turn 3.")


def test_few_are_counted_and_get_no_share():
    rows = {TOOL: row(-0.01, -0.05, 0.02, 1.0)}
    one = apart({"format": 1}, [(0, "format", 1)], [(0, 1)])
    assert said(rows, one).endswith(
        " 1 episode that reference solved was lost: 1 to replies that are not in the format."
    )
    three = apart({"loop": 2, "lost_track": 1}, [], [])
    assert said(rows, three).endswith(" 3 episodes that reference solved were lost: 2 in a loop and 1 by losing track.")
    assert "lost" not in said(rows).replace("loss", "")
    assert said(rows, {"reason": "different versions", "n": 0, "n_failed": 0}) == said(rows)


def handed(**fields):
    lost = {"pairs": 8, "unknown": 0, "fatal_at_difference": 5, "fatal_turns": [{"turn": 0, "lost": 3}]}
    lost |= {"curves": {}, **fields}
    return {"all": {"lost": lost, "kept": {"pairs": 0, "curves": {}}}}


def told_of(row):
    return agent({"name": "q", "handoff": row}).handoff


def test_hand_offs_are_told():
    turns = [{"turn": 0, "lost": 3}, {"turn": 2, "lost": 4}]
    told = "5 of 7 lost episodes (1 more are not known) were past saving for reference right after the first other "
    told += "decision; the fatal turn was most often turn 3 (4 of 7)"
    assert attribution(told_of(handed(fatal_turns=turns, unknown=1)), "reference") == told
    assert said({TOOL: row(-0.1, -0.2, -0.05, 0.01)}, handoff=handed(fatal_turns=turns, unknown=1)).endswith(
        f" By hand-off, {told}."
    )
    assert attribution(None, "reference") is None
    assert attribution(told_of(handed(pairs=0)), "reference") is None
    assert attribution(told_of(handed(unknown=8)), "reference") == "the fatal turn of none of 8 lost episodes is known"


def test_names_cannot_steer_a_terminal():
    assert "\x1b" not in said({TOOL: row(0.0, -0.1, 0.1, 1.0)}, name="hf:\x1b[2J")


def test_every_class_has_words():
    assert set(WORDS) == set(CLASSES)


@given(st.floats(-1, 1).filter(bool), st.floats(0, 1), st.floats(0, 0.5))
def test_a_change_is_claimed_only_where_the_test_says_so(difference, p, half):
    told = said({TOOL: row(difference, max(-1.0, difference - half), min(1.0, difference + half), p)})
    assert ("nothing that" in told) == (p >= 0.05)
    assert ("gains" in told) == (p < 0.05 and difference > 0)


def over_all(rows, pooled, **kwargs):
    value = result(rows, **kwargs)
    value["agents"][1]["comparisons"] = {**rows, "all": pooled}
    return verdict(read(value))[0]


def test_what_all_environments_show_together_is_told():
    rows = {TOOL: row(-0.03, -0.08, 0.01, 0.3), FLOW: row(-0.02, -0.07, 0.01, 0.5)}
    assert over_all(rows, row(-0.025, -0.05, -0.005, 0.02, n=200)) == (
        "gptq-w4 costs 2.5 (95 % interval 0.5 to 5.0) points of success over all 2 environments, nothing that 100 "
        "episodes could show of ToolCall and Workflow (a loss of up to 8.0 points is not ruled out in any of them)."
    )
    assert over_all(rows, row(-0.025, -0.05, 0.002, 0.2, n=200)) == (
        "gptq-w4 costs nothing that 100 episodes could show of ToolCall and Workflow (a loss of up to 8.0 points is "
        "not ruled out in any of them), over all 2 environments a loss of up to 5.0 points is not ruled out."
    )
    one = {TOOL: row(-0.5, -0.6, -0.4, 0.001), FLOW: row(-0.25, -0.3, -0.2, 0.001)}
    assert over_all(one, row(-0.375, -0.4, -0.35, 0.001, n=200)).startswith(
        "gptq-w4 costs 37.5 (95 % interval 35.0 to 40.0) points of success over all 2 environments, 50.0 (95 % "
        "interval 40.0 to 60.0) points of ToolCall and 25.0"
    )


def test_where_nothing_can_be_lost_nothing_is_said_to_cost_nothing():
    floor = row(0.0, -0.02, 0.02, 1.0, dense_success=0.0)
    told = said({TOOL: floor, FLOW: floor})
    assert told == (
        "gptq-w4: ToolCall and Workflow cannot be measured here, since reference solves 0.0 %, so that there is "
        "next to nothing to lose: an easier level, examples in the prompt or a first agent that solves more would "
        "make it measurable."
    )
    mixed = said({TOOL: floor | {"dense_success": 0.04}, FLOW: row(-0.5, -0.6, -0.4, 0.001)})
    assert mixed.startswith("gptq-w4 costs 50.0 (95 % interval 40.0 to 60.0) points of Workflow; ToolCall cannot be")
    assert "since reference solves 4.0 %" in mixed
    gain = said({TOOL: row(0.5, 0.4, 0.6, 0.001, dense_success=0.0)})
    assert gain == "gptq-w4 gains 50.0 (95 % interval 40.0 to 60.0) points of ToolCall."


def test_too_few_episodes_are_said_to_be_too_few():
    assert said({TOOL: row(0.0, -0.5, 0.5, 1.0, n=5)}) == (
        "gptq-w4: ToolCall cannot be measured with so few episodes, since reference solved too few of 5 episodes for "
        "the loss of all of them to show: play more of them."
    )
    assert "nothing that 7 episodes could show" in said({TOOL: row(0.0, -0.5, 0.5, 1.0, n=7)})


def test_what_is_left_of_a_loss_is_held_against_guessing():
    rows = {TOOL: row(-0.6, -0.7, -0.5, 0.001, other_success=0.3)}
    anchored = {**result(rows), "anchors": {TOOL: {"success": 0.33, "progress": 0.4}}}
    assert verdict(read(anchored))[0].startswith(
        "gptq-w4 costs 60.0 (95 % interval 50.0 to 70.0) points of ToolCall (down to 30.0 %, where guessing solves "
        "33.0 %)."
    )
    anchored["anchors"][TOOL]["success"] = 0.2
    assert "guessing" not in verdict(read(anchored))[0]
    anchored["heuristic_anchors"] = {TOOL: {"success": 0.4, "progress": 0.4}}
    assert "(down to 30.0 %, where a simple heuristic solves 40.0 %)" in verdict(read(anchored))[0]
    anchored["heuristic_anchors"] = {TOOL: {"success": 0.3, "progress": 0.4}}
    anchored["anchors"][TOOL]["success"] = 0.35
    assert "(down to 30.0 %, where guessing solves 35.0 %)" in verdict(read(anchored))[0]
    anchored["heuristic_anchors"], anchored["anchors"] = {TOOL: None}, {TOOL: None}
    assert "down to" not in verdict(read(anchored))[0]
