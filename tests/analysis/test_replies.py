"""What agents said: how much of it, and what of it had come apart."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from acgym.analysis.degenerate import Degenerate, Place, degenerate, reply_kind, tool_names
from acgym.analysis.inflation import Inflation, inflation, inflations, thought
from acgym.analysis.numbers import NotMeasured
from acgym.report.replies import degenerate_grids, inflation_grids
from tests.helpers.results import read
from tests.helpers.scored import episode, failed, turn

TOOLS = ({"type": "function", "function": {"name": "get_weather"}}, {"name": "send_mail"})


def said(text, **fields):
    return replace(turn(), text=text, action=fields.pop("action", text), **fields)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (said("Answer: 7"), None),
        (said(""), "silent"),
        (said(" \n"), "silent"),
        (said("", action='{"name": "send_mail", "arguments": {}}'), None),
        (said("well " * 40), "repetition"),
        (said("I go to the shop and then I look " * 8), "repetition"),
        (said("So: " + " ".join(map(str, range(30))) + " no, wait." * 12), "repetition"),
        (said(" ".join(map(str, range(300))), finish_reason="length"), "runaway"),
        (said("well " * 40, finish_reason="length"), "repetition"),
        (said("I will call get_weather now.", malformed=True), "narrated"),
        (said("I will do it now.", malformed=True), None),
        (said("get_weather says rain."), None),
        (said('{"name": "get_weather", "arguments": {}}', malformed=True), None),
        (said("x", token_ids=(5, 6) * 12), "repetition"),
        (said("x", token_ids=(5, 6) * 11 + (7,)), None),
        (said("a b c d e f g h " * 3 + "i j k"), None),
    ],
)
def test_each_reply_has_one_class_at_most(reply, kind):
    assert reply_kind(reply, tool_names(TOOLS)) == kind


def test_a_reply_that_says_mostly_what_it_said_before_is_a_loop_wherever_it_ends():
    verse = " ".join(f"word{i}" for i in range(20))
    assert (
        reply_kind(said(f"{verse} first {verse} then {verse} at last {verse} and {verse} or {verse} end."))
        == "repetition"
    )
    assert reply_kind(said(" ".join(f"word{i}" for i in range(200)))) is None


@pytest.mark.slow
def test_long_replies_take_time_in_proportion():
    def seconds(n):
        started = time.process_time()
        reply_kind(said("x", token_ids=(1, 1, 2) * n + tuple(range(3, n))))
        return time.process_time() - started

    seconds(1000)
    assert seconds(80_000) < 30 * max(seconds(10_000), 0.01)


def test_counts_of_an_agent_and_the_places():
    rows = [
        episode(0, turns=[turn(), said("")], success=False),
        episode(1, turns=[said("la " * 30), said("la " * 30)]),
        failed(2),
    ]
    found = degenerate(rows)
    assert found == Degenerate(
        4, {"repetition": 2, "runaway": 0, "silent": 1, "narrated": 0}, 2, 1,
        {"repetition": (Place("ACB/ToolCall-v0", 1, 0), Place("ACB/ToolCall-v0", 1, 1)),
         "silent": (Place("ACB/ToolCall-v0", 0, 1),)},
    )  # fmt: skip


# --- how much ---------------------------------------------------------------------------------------------------------


def spoken(tokens, solved=True, agent="dense", env="A", **fields):
    """One episode for each list of tokens a turn."""
    solved = [solved] * len(tokens) if isinstance(solved, bool) else solved
    return [episode(i, s, agent=agent, env=env, turns=[turn(tokens=n) for n in row], **fields)
            for i, (row, s) in enumerate(zip(tokens, solved, strict=True))]  # fmt: skip


def test_ratios_are_of_totals_over_the_pairs_that_finished():
    dense = spoken([[10], [10, 10], [30]])
    other = [*spoken([[20], [10, 10]], solved=[True, False], agent="q"), failed(2, agent="q", env="A")]
    found = inflation(list(zip(dense, other, strict=True))[:2])
    assert found == inflations({"A": dense}, {"A": other}, "all")["A"]
    assert (found.n, found.both_solved) == (2, 1)
    assert found.turns.value == pytest.approx(1.0)
    assert found.tokens.value == pytest.approx(40 / 30)
    assert found.tokens_both_solved.value == pytest.approx(2.0)
    assert (found.dense_tokens_per_solved, found.tokens_per_solved) == (15.0, 40.0)
    assert found.per_solved.value == pytest.approx(40 / 15)
    assert found.thinking is None


def test_what_is_not_known_is_no_number():
    dense, other = spoken([[10]] * 2), spoken([[10], [None]], agent="q")
    found = inflation(list(zip(dense, other, strict=True)))
    assert (found.tokens, found.tokens_per_solved, found.per_solved) == (None, None, None)
    assert found.turns.value == 1.0
    never = inflation(list(zip(dense, spoken([[5], [5]], solved=False, agent="q"), strict=True)))
    assert (never.tokens_per_solved, never.per_solved, never.tokens_both_solved) == (None, None, None)
    assert isinstance(inflation([]), NotMeasured)


@pytest.mark.parametrize(
    ("text", "letters"),
    [("Answer", 0), ("<think>abc</think>x", 3), ("abc</think>x", 3), ("<think>abc", 3), ("a</think>b<think>c", 1)],
)
def test_letters_of_thinking(text, letters):
    assert thought(text) == letters


def test_tables_say_how_much_more_and_what_came_apart():
    dense, other = spoken([[n] for n in range(10, 40)]), spoken([[2 * n] for n in range(10, 40)], agent="q")
    both = inflations({"A": dense}, {"A": other}, "all")
    longer = replace(both["A"], tokens=replace(both["A"].tokens, interval=None))
    broken = degenerate([episode(3, turns=[said("")], success=False, env="ACB/Needle-v0")])
    agents = [{"name": "dense"}, {"name": "q", "inflation": {"A": longer.to_json(), "all": longer.to_json()},
                                  "degenerate": {"A": broken.to_json(), "all": broken.to_json()}}]  # fmt: skip
    result = read({"settings": {"envs": {"A": {}}}, "dense": "dense", "agents": agents})
    [grid] = inflation_grids(result)
    assert [cell.text for cell in grid.rows[0]] == ["q", "1.00", "2.00", "2.00", "49", "2.00"]
    assert "dense spends 24 tokens on a solved episode" in grid.note
    [grid] = degenerate_grids(result)
    assert [cell.text for cell in grid.rows[0]][1:] == [
        "1", "0", "0", "1 (100.0 %)", "0", "1", "1", "silent: Needle seed 3 turn 1"
    ]  # fmt: skip
    assert isinstance(result.others[0].inflation["A"], Inflation)
    quiet = read({"settings": {"envs": {"A": {}}}, "dense": "dense", "agents": [{"name": "dense"}, {"name": "q"}]})
    assert inflation_grids(quiet) == degenerate_grids(quiet) == []
