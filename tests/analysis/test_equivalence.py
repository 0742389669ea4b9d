"""Whether an agent is worse than a margin, from its episodes to the words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acgym.analysis.equivalence import Equivalence, check_margin, equivalences
from acgym.analysis.numbers import NotMeasured
from acgym.analysis.result import ComparisonResult
from acgym.report.margin import margin_grids, margin_sentence
from acgym.statistics.noninferiority import not_worse_p, worse_p
from tests.helpers.results import comparison_row, read, score_row
from tests.helpers.scored import failed, run


def found(dense, others, margin=0.05, until=False, groups=None):
    rows, means = equivalences({"A": dense} if isinstance(dense, list) else dense,
                               {name: {"A": rows} if isinstance(rows, list) else rows for name, rows in others.items()},
                               groups or {}, margin, "all", until)  # fmt: skip
    return rows, means


def solved(n, lost=0, won=0, agent="q", base=1.0, **fields):
    """Pairs: the dense agent solves a share ``base``, the other one loses and wins some."""
    ours = [i < base * n for i in range(n)]
    theirs = [not s if (i < lost or i >= n - won) else s for i, s in enumerate(ours)]
    return run(ours, random_success=None, **fields), run(theirs, agent=agent, random_success=None, **fields)


def test_a_hundred_pairs_that_never_differ_rule_out_five_points():
    dense, same = solved(100)
    rows, _ = found(dense, {"q": same})
    cell = rows["q"]["A"]
    assert (cell.verdict, cell.n, cell.further) == ("yes", 100, None)
    assert cell.p == not_worse_p(0, 0, 100, 0.05)
    assert rows["q"]["all"] == cell


def test_a_clear_loss_is_no_and_a_few_pairs_leave_it_open():
    dense, bad = solved(100, lost=30)
    assert found(dense, {"q": bad})[0]["q"]["A"].verdict == "no"
    dense, same = solved(20)
    cell = found(dense, {"q": same})[0]["q"]["A"]
    assert cell.verdict == "open"
    assert 30 <= cell.further <= 60  # 59 pairs without a difference are enough


def test_agents_are_corrected_for_being_several_as_p_is():
    dense, same = solved(70)
    _, other = solved(70, lost=2, agent="r")
    rows, _ = found(dense, {"q": same, "r": other})
    assert rows["q"]["A"].p_holm == pytest.approx(2 * not_worse_p(0, 0, 70, 0.05))
    assert rows["r"]["A"].p_worse_holm == pytest.approx(min(1.0, 2 * worse_p(2, 0, 70, 0.05)), rel=1e-6)
    assert rows["q"]["A"].verdict == "open"  # alone it would be yes
    assert found(dense, {"q": same})[0]["q"]["A"].verdict == "yes"


@pytest.mark.parametrize(
    ("base", "random", "why"), [(0.04, None, "floor"), (0.06, None, "margin"), (0.3, 0.3, "guess")]
)
def test_where_nothing_can_be_measured_it_is_never_yes(base, random, why):
    dense, same = ([replace(e, random_success=random) for e in rows] for rows in solved(1000, base=base))
    cell = found(dense, {"q": same}, margin=0.07)[0]["q"]["A"]
    assert (cell.verdict, cell.why, cell.where) == ("cannot", why, ("A",))


def test_a_loss_beyond_the_margin_is_no_even_where_the_dense_agent_only_guesses():
    dense, bad = ([replace(e, random_success=0.5) for e in rows] for rows in solved(200, lost=90, base=0.5))
    assert found(dense, {"q": bad})[0]["q"]["A"].verdict == "no"


def test_means_of_environments_are_tested_and_one_blind_environment_blinds_them():
    a, same_a = solved(200)
    b, same_b = solved(200, env="B")
    rows, means = found({"A": a, "B": b}, {"q": {"A": same_a, "B": same_b}}, groups={"tools": ("A", "B")})
    assert rows["q"]["all"].verdict == means["q"]["tools"].verdict == "yes"
    assert rows["q"]["all"].n == 400
    b, same_b = solved(200, env="B", base=0.02)
    rows, _ = found({"A": a, "B": b}, {"q": {"A": same_a, "B": same_b}})
    assert (rows["q"]["all"].verdict, rows["q"]["all"].where) == ("cannot", ("B",))
    assert rows["q"]["A"].verdict == "yes"


def test_tasks_that_repeat_count_as_fewer():
    dense, same = solved(100)
    dense, same = ([replace(e, task_hash=f"task{e.seed // 10}") for e in rows] for rows in (dense, same))
    assert found(dense, {"q": same})[0]["q"]["A"].verdict == "open"


def test_agents_that_stop_by_themselves_are_tested_at_any_time():
    dense, same = solved(400)
    cell = found(dense, {"q": same[:300]}, until=True)[0]["q"]["A"]
    assert (cell.verdict, cell.n) == ("yes", 300)
    cell = found(dense, {"q": same[:60]}, until=True)[0]["q"]["A"]
    assert cell.verdict == "open"  # a test that looks once would say yes
    assert cell.further > 25


def test_without_a_finished_pair_nothing_is_said():
    dense, _ = solved(3)
    cell = found(dense, {"q": [failed(i, agent="q") for i in range(3)]})[0]["q"]["A"]
    assert isinstance(cell, NotMeasured)


def test_a_margin_is_a_share():
    check_margin(None)
    for bad in (0.0, 1.0, -0.1, 2.0):
        with pytest.raises(ValueError, match=r"0\.02 for two points"):
            check_margin(bad)


# --- words ----------------------------------------------------------------------------------------------------------


def told(*cells, margin=0.02):
    rows = {env: cell.to_json() for env, cell in zip(("ACB/Needle-v0", "B", "C", "D"), cells, strict=True)}
    scores = {env: score_row(success=0.995) for env in rows}
    settings = {"envs": {env: {} for env in rows}}
    compared = {env: comparison_row() for env in rows}
    other = {"name": "q", "scores": scores, "comparisons": compared, "equivalence": rows}
    agents = [{"name": "dense", "scores": scores}, other]
    return read({"settings": settings, "dense": "dense", "agents": agents, "margin": margin})


def cell(verdict, **fields):
    return Equivalence(0.02, verdict, 100, 0.01, 0.9, **fields)


def test_the_table_and_the_sentence_say_all_four_answers():
    result = told(cell("yes"), cell("no"), cell("open", further=343), cell("cannot", why="floor", where=("D",)))
    [grid] = margin_grids(result)
    assert grid.title == "Not worse than 2 points?"
    assert [c.text for c in grid.rows[0]][:5] == ["q", "yes", "no", "not yet known,\n~350 more", "cannot be\nmeasured"]
    assert "D cannot be measured here, since dense solves less than 5 %: an easier level" in grid.note
    assert "a harder level would be a harder test" in grid.note
    said = margin_sentence(result.others[0], result)
    assert said == (
        "Not worse than 2 points: yes in Needle; no in B; not yet known in C (about 350 more episodes would tell); "
        "D cannot be measured here."
    )


def test_without_a_margin_there_is_no_table_and_files_stay_as_they_were():
    result = replace(told(cell("yes"), cell("yes"), cell("yes"), cell("yes")), margin=None)
    assert margin_grids(result) == []
    assert margin_sentence(result.others[0], result) == ""
    assert "margin" not in result.to_json()
    assert ComparisonResult.from_json(result.to_json()).to_json() == result.to_json()
