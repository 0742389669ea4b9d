"""The scorer on hand-made episodes: every number worked by hand, pairing refused by name, failures counted apart."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.analysis.numbers import Comparison
from acgym.analysis.score import NoEpisodes, compare, compare_all, score
from acgym.statistics.paired import mcnemar, mcnemar_mid_p, paired_difference, wilson
from tests.helpers.scored import episode, failed, run, turn

# --- score


def test_score_by_hand():
    result = score(
        [
            episode(0, True, 1.0, [turn(tokens=3), turn(malformed=True, tokens=5)]),
            episode(1, False, 0.5, [turn(error="wrong_tool", tokens=2)], seconds=4.0),
            episode(2, False, 0.0, [turn(malformed=True, tokens=0)], seconds=6.0),
            episode(3, True, 1.0, [turn(tokens=2)], seconds=8.0),
            failed(4),
        ]
    )
    assert (result.n, result.n_failed) == (4, 1)
    assert (result.success, result.progress) == (0.5, 0.625)
    assert result.success_interval == wilson(2, 4)
    assert result.progress_interval == wilson(2.5, 4)
    assert result.anchored_success == pytest.approx((0.5 - 0.2) / 0.8)
    assert (result.format_error_rate, result.decision_error_rate) == (2 / 5, 1 / 5)
    assert (result.steps, result.generated_tokens, result.seconds) == (5 / 4, 3, 5)


def test_what_was_not_measured_is_none():
    result = score([episode(0, turns=[turn(tokens=2), turn()]), episode(1, random_success=None)])
    assert result.generated_tokens is None
    assert result.anchored_success is None
    assert score([episode(0, random_success=1.0)]).anchored_success is None
    empty = score([episode(0, turns=())])
    assert (empty.format_error_rate, empty.decision_error_rate, empty.generated_tokens) == (None, None, None)
    assert score([episode(0, False)]).anchored_success == pytest.approx(-0.25)


def test_scores_are_json():
    row = json.loads(json.dumps(score(run([1, 0])).to_json(), allow_nan=False))
    assert row["success_interval"] == {"low": wilson(1, 2).low, "high": wilson(1, 2).high}
    text = json.dumps(compare(run([1, 0]), run([0, 0], "q", turns=[turn("no")])).to_json(), allow_nan=False)
    assert json.loads(text)["divergence_turns"] == [{"turn": 0, "diverged": 2, "lost": 1}]


def test_nothing_finished_is_refused_by_name():
    with pytest.raises(NoEpisodes, match=r"dense in ACB/ToolCall-v0; 2 failed, the first with: out of memory"):
        score([failed(0), failed(1)])
    with pytest.raises(NoEpisodes, match="no agent in no environment"):
        score([])
    with pytest.raises(ValueError, match=r"twice: ACB/ToolCall-v0 .* seed 3"):
        score([episode(3), episode(3)])


# --- compare


def test_compare_by_hand():
    dense = run([1, 1, 1, 1, 0, 0, 0, 1])
    other = run([1, 0, 0, 0, 1, 0, 0, 1], "gptq", progress=0.25)
    result = compare(dense, other)
    assert (result.dense, result.other, result.n, result.n_failed) == ("dense", "gptq", 8, 0)
    assert (result.lost, result.won) == (3, 1)
    assert (result.dense_success, result.other_success, result.success_difference) == (5 / 8, 3 / 8, -0.25)
    assert result.success_interval == paired_difference([1, 1, 1, 1, 0, 0, 0, 1], [1, 0, 0, 0, 1, 0, 0, 1])
    assert result.p == mcnemar(3, 1) == pytest.approx(10 / 16)
    assert result.p_holm is None
    assert result.p_mid == mcnemar_mid_p(3, 1) == pytest.approx(6 / 16)
    assert result.p_mid_holm is None
    assert (result.dense_progress, result.other_progress, result.progress_difference) == (0.625, 0.25, -0.375)
    assert result.divergences == ()
    assert result.lost_from_divergence is None


def test_first_divergence():
    dense = [
        episode(0, True, turns=[turn("a"), turn("b"), turn("c")]),
        episode(1, True, turns=[turn("a"), turn("b")]),
        episode(2, False, turns=[turn("a")]),
        episode(3, True, turns=[turn("a"), turn("b")]),
    ]
    other = [
        episode(0, False, 0.5, turns=[turn("a"), turn("x"), turn("c")]),
        episode(1, False, 0.5, turns=[turn("a"), turn("b"), turn("more")]),
        episode(2, True, turns=[turn("x"), turn("b")]),
        episode(3, True, turns=[turn("a"), turn("b")]),
    ]
    result = compare(dense, other)
    assert [(d.key[4], d.turn, d.lost, d.won, d.progress_lost) for d in result.divergences] == [
        (0, 1, True, False, 0.5),
        (1, 2, True, False, 0.5),
        (2, 0, False, True, -1.0),
    ]
    assert [(row.turn, row.diverged, row.lost) for row in result.divergence_turns] == [(0, 1, 0), (1, 1, 1), (2, 1, 1)]
    assert result.lost_from_divergence == pytest.approx(2 / 3)


def test_failures_are_left_out_pairwise_and_counted():
    dense = [episode(0), failed(1), episode(2), failed(3)]
    other = [episode(0, agent="q"), episode(1, agent="q"), failed(2, agent="q"), failed(3, agent="q")]
    result = compare(dense, other)
    assert (result.n, result.n_failed, result.other_success) == (1, 3, 1.0)
    with pytest.raises(NoEpisodes, match="dense, q in ACB/ToolCall-v0; 2 failed"):
        compare([episode(0), failed(1)], [failed(0, agent="q"), episode(1, agent="q")])


@pytest.mark.parametrize(
    ("dense", "other", "words"),
    [
        (range(5), range(1), r"the other run \(q\) lacks 4 of 5 episodes: .*seed 1 .*seed 2 .*seed 3 .*; \.\.\."),
        (range(2), range(3), r"the dense run \(dense\) lacks 1 of 3 episodes: .*seed 2 \(task task2\)\. Play both"),
    ],
)
def test_unpaired_episodes_are_refused_by_name(dense, other, words):
    with pytest.raises(ValueError, match=words):
        compare([episode(i) for i in dense], [episode(i, agent="q") for i in other])


@pytest.mark.parametrize(
    "field", [{"kwargs": {"level": 2}}, {"split": "train"}, {"task_hash": "x"}, {"env": "ACB/X-v0"}]
)
def test_everything_that_makes_the_task_pairs(field):
    with pytest.raises(ValueError, match="only pairs can be compared"):
        compare([episode(0)], [episode(0, **field)])


def test_order_does_not_matter_and_keyword_order_neither():
    dense, other = run([1, 0, 1, 1], kwargs={"a": 1, "b": 2}), run([0, 0, 1, 0], "q", kwargs={"b": 2, "a": 1})
    shuffled = random.Random(0).sample(other, 4)
    assert compare(dense, other) == compare(dense, shuffled)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_identities(pairs):
    dense, other = run([a for a, _ in pairs]), run([b for _, b in pairs], "q")
    there, back = compare(dense, other), compare(other, dense)
    assert there.success_difference == pytest.approx(there.other_success - there.dense_success)
    assert (there.lost, there.won, there.p) == (back.won, back.lost, back.p)
    assert there.success_difference in there.success_interval
    same = compare(dense, dense)
    assert (same.lost, same.won, same.p, same.divergences) == (0, 0, 1.0, ())
    assert same.success_interval.low < 0 < same.success_interval.high


# --- compare_all


def test_holm_runs_over_the_environments_of_each_agent():
    dense = {"A": run([1] * 10), "B": run([1] * 10), "C": run([1] * 10)}
    others = {
        "weak": {"A": run([0] * 10, "weak"), "B": run([0] * 8 + [1] * 2, "weak"), "C": run([1] * 10, "weak")},
        "gone": {"A": [failed(i, agent="gone") for i in range(10)], "B": run([0] * 6 + [1] * 4), "C": run([1] * 10)},
    }
    table = compare_all(dense, others)
    weak = table["weak"]
    assert all(isinstance(cell, Comparison) for cell in weak.values())
    assert [weak[env].p_holm for env in "ABC"] == pytest.approx([3 * 2 / 1024, 2 * 2 / 256, 1.0])
    assert [weak[env].p_mid_holm for env in "AB"] == pytest.approx([3 * 1 / 1024, 2 * 1 / 256])
    assert isinstance(table["gone"]["A"], NoEpisodes)
    assert table["gone"]["B"].p_holm == pytest.approx(2 * 2 / 64)  # two environments were measured, not three
    with pytest.raises(ValueError, match="lacks B"):
        compare_all({"A": dense["A"], "B": dense["B"]}, {"q": {"A": dense["A"]}})
