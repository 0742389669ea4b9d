"""The sentences of a comparison: word for word from hand-made numbers, and never more than the numbers carry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acgym.analysis.failure import CLASSES
from acgym.report.verdict import WORDS, attribution, verdict

TOOL, FLOW = "ACB/ToolCall-v0", "ACB/Workflow-v0"


def row(difference, low, high, p, n=100):
    interval = {"low": low, "high": high}
    return {"n": n, "success_difference": difference, "success_interval": interval, "p": p / 2, "p_holm": p}


def apart(classes, lost_turns, turns=()):
    return {
        "n": 100,
        "lost_classes": dict.fromkeys(CLASSES, 0) | classes,
        "lost_turns": [{"turn": turn, "class": kind, "lost": lost} for turn, kind, lost in lost_turns],
        "turns": [{"turn": turn, "diverged": lost, "lost": lost, "won": 0, "kept": 0} for turn, lost in turns],
    }


NOTHING_LOST = apart({}, [])


def result(rows, divergence=NOTHING_LOST, handoff=None, name="reference+gptq-w4"):
    agents = [
        {"name": "reference", "comparisons": {}, "divergence": {}, "handoff": None},
        {"name": name, "comparisons": rows, "divergence": {"all": divergence}, "handoff": handoff},
    ]
    return {"settings": {"envs": {env: {} for env in rows}}, "dense": "reference", "agents": agents}


def said(*args, **kwargs):
    [sentence] = verdict(result(*args, **kwargs))
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
    sure = row(-0.5, -0.6, -0.4, 0.001) | {"anytime": {"confidence": 0.9875}}
    assert said({TOOL: sure}) == "gptq-w4 costs 50.0 (98.8 % interval 40.0 to 60.0) points of ToolCall."


def test_the_noise_floor_is_called_what_it_is():
    rows = {TOOL: row(0.0, -0.037, 0.037, 1.0)}
    [told] = verdict({**result(rows, name="reference@rerun"), "noise_floor": "reference@rerun"})
    assert told.startswith("reference played again costs nothing that 100 episodes could show of ToolCall")


def test_nothing_at_all():
    assert said({TOOL: {"reason": "all failed", "n": 0, "n_failed": 3}}) == "gptq-w4: not measured (ToolCall)."
    assert said({TOOL: row(0.0, -0.5, 0.5, 1.0, n=1)}) == (
        "gptq-w4 costs nothing that 1 episode could show of ToolCall (a loss of up to 50.0 points is not ruled out)."
    )
    mixed = {TOOL: row(0.0, -0.037, 0.037, 1.0), FLOW: row(0.0, -0.06, 0.01, 1.0, n=90)}
    assert said(mixed) == (
        "gptq-w4 costs nothing that 90 to 100 episodes could show of ToolCall and Workflow (a loss of up to 6.0 points "
        "is not ruled out in any of them)."
    )
    assert verdict({**result({}), "agents": result({})["agents"][:1]}) == []


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
    return {"all": {"lost": lost | fields}}


def test_hand_offs_are_told():
    turns = [{"turn": 0, "lost": 3}, {"turn": 2, "lost": 4}]
    told = "5 of 7 lost episodes (1 more are not known) were past saving for reference right after the first other "
    told += "decision; the fatal turn was most often turn 3 (4 of 7)"
    assert attribution(handed(fatal_turns=turns, unknown=1), "reference") == told
    assert said({TOOL: row(-0.1, -0.2, -0.05, 0.01)}, handoff=handed(fatal_turns=turns, unknown=1)).endswith(
        f" By hand-off, {told}."
    )
    assert attribution(None, "reference") is None
    assert attribution(handed(pairs=0), "reference") is None
    assert attribution(handed(unknown=8), "reference") == "the fatal turn of none of 8 lost episodes is known"


def test_names_cannot_steer_a_terminal():
    assert "\x1b" not in said({TOOL: row(0.0, -0.1, 0.1, 1.0)}, name="hf:\x1b[2J")


def test_every_class_has_words():
    assert set(WORDS) == set(CLASSES)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.5))
def test_a_change_is_claimed_only_where_the_test_says_so(difference, p, half):
    told = said({TOOL: row(difference, max(-1.0, difference - half), min(1.0, difference + half), p)})
    assert ("nothing that" in told) == (p >= 0.05 or difference == 0)
    assert ("gains" in told) == (p < 0.05 and difference > 0)
