"""Curves along an argument: what is corrected, and where agents part."""

from __future__ import annotations

import pytest

from acgym.analysis.curve import DoseResponse, dose_response
from acgym.report.curve import curve_figure, curve_grids, curve_sentences, write_curve
from acgym.report.svg import drawing, to_svg
from tests.helpers.results import comparison_row, read, score_row

ENV = "ACB/Needle-v0"


def at(*agents, envs=(ENV,)):
    """A comparison with an agent for each (p, difference, dense success)."""
    labels = [*envs, "all"]
    rows = [{"name": "dense", "scores": {env: score_row() for env in labels}}]
    for i, (p, difference, dense) in enumerate(agents):
        row = comparison_row(p=p, success_difference=difference, dense_success=dense)
        rows.append({"name": f"dense+q{i}", "scores": {env: score_row() for env in labels},
                     "comparisons": dict.fromkeys(labels, row)})  # fmt: skip
    return read({"settings": {"envs": {env: {} for env in envs}}, "dense": "dense", "agents": rows})


def curve(*doses, values=None):
    found = dose_response("level", values or list(range(1, len(doses) + 1)), [at(dose) for dose in doses])
    return found.of(ENV)[1]


LOSS, EVEN, BETTER, FLOOR = (1e-6, -0.3, 0.9), (0.9, -0.01, 0.9), (0.9, 0.05, 0.9), (0.9, -0.01, 0.02)


@pytest.mark.parametrize(
    ("doses", "knee"),
    [
        ([EVEN, EVEN, LOSS, LOSS], 2),
        ([LOSS, LOSS], 0),
        ([EVEN, LOSS, EVEN], 1),  # below at the later one too, if not shown to be
        ([LOSS, BETTER, LOSS], 2),
        ([LOSS, FLOOR], 0),  # where nothing can be measured nothing is claimed
        ([EVEN, EVEN], None),
        ([(0.03, -0.1, 0.9), EVEN], None),  # 0.03 of two tests is 0.06
    ],
)
def test_the_knee_is_the_first_loss_after_which_the_agent_stays_below(doses, knee):
    assert curve(*doses).knee == knee


def test_tests_are_corrected_over_values_and_environments_or_agents():
    found = dose_response("level", [1, 2], [at((0.01, -0.1, 0.9), (0.2, -0.1, 0.9))] * 2)
    assert [dose.p_holm for dose in found.of(ENV)[1].doses] == pytest.approx([0.04, 0.04])
    found = dose_response("level", [1, 2], [at((0.01, -0.1, 0.9), (0.2, -0.1, 0.9), envs=(ENV, "B"))] * 2)
    assert [dose.p_holm for dose in found.of("B")[1].doses] == pytest.approx([0.04, 0.04])  # two by two
    assert [dose.p_holm for dose in found.of("B")[2].doses] == pytest.approx([0.8, 0.8])
    assert found.envs == [ENV, "B", "all"]


def test_comparisons_of_other_agents_make_no_curve():
    with pytest.raises(ValueError, match="same agents"):
        dose_response("level", [1, 2], [at(LOSS), at(LOSS, EVEN)])


def test_it_is_written_and_read_back():
    found = dose_response("n_tools", [5, "all"], [at(EVEN), at(LOSS)], ["a", "b"])
    assert DoseResponse.from_json(found.to_json()) == found


def test_tables_sentences_and_page(tmp_path):
    found = dose_response("level", [1, 2, 5], [at(EVEN, EVEN), at(LOSS, EVEN), at(LOSS, EVEN)])
    [grid] = curve_grids(found)
    assert grid.heads == ("agent", "level=1", "level=2", "level=5", "knee")
    assert [row[-1].text for row in grid.rows] == ["", "level=2", "not seen"]
    assert [cell.tone for cell in grid.rows[1][1:4]] == ["", "loss", "loss"]
    assert curve_sentences(found) == ["q0: loses in Needle from level=2 on.", "q1: not seen to part in Needle."]
    with drawing("curve"):
        assert to_svg(curve_figure(found), "curve", "t").startswith("<svg")
    write_curve(found, tmp_path / "curve.html")
    page = (tmp_path / "curve.html").read_text("utf-8")
    assert "<svg" in page
    assert "loses in Needle from level=2 on" in page
