"""A comparison in a script's hands: rows, tables, pairs, figures, HTML; made-up runs, nothing is played."""

from __future__ import annotations

import io
import sys
from dataclasses import fields

import pytest
from rich.console import Console

import acgym
from acgym.results.figures import FIGURES
from acgym.results.rows import AgentRow, EpisodeRow
from tests.helpers.report_runs import DENSE, HOSTILE, NEEDLE, OTHER, TOOLS, finish, write_run


@pytest.fixture
def result(tmp_path):
    finish(write_run(tmp_path / "run"))
    return acgym.open_run(tmp_path / "run")


def test_there_is_one_row_for_each_agent_and_environment(result):
    rows = result.rows()
    assert [(row.agent, row.env) for row in rows] == [(a, e) for a in (DENSE, OTHER) for e in (TOOLS, NEEDLE)]
    dense, _, other, needle = rows
    assert (dense.difference, dense.lost, dense.p, dense.kl) == (None, None, None, None)
    assert (other.n, other.n_failed, other.lost, other.won) == (5, 1, 1, 1)
    assert other.difference == 0.0
    assert (needle.lost, needle.won, needle.difference) == (3, 0, -0.5)
    assert needle.difference_low < -0.5 < needle.difference_high
    assert needle.significant is False
    assert (other.kl, other.topk_jaccard_10, other.weight_bytes) == (0.125, 0.8, 2_000_000)
    assert [row.env for row in result.rows(together=True)] == [TOOLS, NEEDLE, "all"] * 2


def test_there_is_one_row_for_each_episode_of_each_agent(result):
    rows = result.episodes()
    assert [(row.agent, row.env, row.seed) for row in rows] == [
        (a, e, s) for a in (DENSE, OTHER) for e in (TOOLS, NEEDLE) for s in range(6)
    ]
    other = result.episodes(OTHER, TOOLS)
    assert [row.outcome for row in other] == ["both", "both", "both", "lost", "won", "failed"]
    assert [row.first_difference for row in other] == [None, 0, 1, 1, 1, None]
    assert [row.first_decision for row in other] == [None, None, 1, 1, 1, None]
    assert (other[3].failure_class, other[3].failure_turn, other[3].format_errors) == ("format", 1, 1)
    assert other[5].success is None
    assert other[5].failure is not None
    assert [row.outcome for row in result.episodes(DENSE, TOOLS)][:5] == ["solved"] * 4 + ["unsolved"]
    assert other[0].generated_tokens == 4
    assert {row.first_difference for row in result.episodes(DENSE)} == {None}


def test_the_rows_agree_with_the_numbers(result):
    counts = result.numbers.agents[1].diverged(TOOLS)
    rows = [row for row in result.episodes(OTHER, TOOLS) if row.outcome != "failed"]
    assert counts.diverged == sum(row.first_decision is not None for row in rows)
    assert counts.lost == sum(row.outcome == "lost" for row in rows)
    assert counts.same == sum(row.first_difference is None for row in rows)


def test_rows_go_into_data_frames(result):
    pandas = pytest.importorskip("pandas")
    frame = result.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == [each.name for each in fields(AgentRow)]
    assert len(frame) == 4
    assert frame.set_index(["agent", "env"]).loc[(OTHER, NEEDLE), "difference"] == -0.5
    assert frame["difference"].isna().tolist() == [True, True, False, False]
    episodes = result.episodes().to_pandas()
    assert list(episodes.columns) == [each.name for each in fields(EpisodeRow)]
    assert len(episodes) == 24
    assert episodes.query("outcome == 'lost'").seed.tolist() == [3, 0, 1, 2]


def test_a_missing_pandas_is_said_in_a_sentence(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for ask in (result.to_pandas, result.episodes().to_pandas):
        with pytest.raises(ImportError, match=r"pandas is not installed.*pip install 'acgym\[pandas\]'"):
            ask()


def test_names_may_be_short_as_long_as_one_is_meant(result):
    assert result.episodes("gptq-w4", "Needle") == result.episodes(OTHER, NEEDLE)
    assert result.pair("gptq-w4-g128", "ToolCall", 3).other.agent == OTHER
    with pytest.raises(ValueError, match="the agent 'hf:' means several; expected one of"):
        result.episodes("hf:")
    with pytest.raises(ValueError, match="the environment 'Nedle' is none of the run's; expected one of ACB/ToolCall"):
        result.episodes(env="Nedle")


def test_a_pair_is_aligned_turn_by_turn(result):
    pair = result.pair("gptq", "ToolCall", 2)
    assert [row.kind for row in pair.turns] == ["same", "decision", "decision"]
    assert pair.turns[2].dense is None
    assert pair.turns[1].other.text == "c"
    assert pair.first_difference.turn == 1
    assert pair.failure is None
    assert result.pair("gptq", "ToolCall", 1).turns[0].kind == "words"
    text = str(pair)
    assert "first other decision in turn 2" in text
    assert "* 2. said [dense]: b\n* 2. said [other]: c" in text
    assert "  1. said: a" in text
    assert result.pair("gptq", "ToolCall").other.seed == 3  # the first that was lost
    assert result.pair("gptq").dense.env == TOOLS
    failed = result.pair("gptq", "ToolCall", 5)
    assert failed.first_difference is None
    assert "not compared" in str(failed)
    with pytest.raises(ValueError, match="not played with seed 99 by both agents; there are seeds 0 to 5"):
        result.pair("gptq", "ToolCall", 99)


def test_tables_are_text_html_and_rich(result):
    summary = result.table()
    for text in (str(summary), summary._repr_html_()):
        for word in ("ToolCall", "Needle", "all", DENSE, "50.0"):
            assert word in text
    file = io.StringIO()
    Console(file=file, width=60).print(summary)
    assert max(map(len, file.getvalue().splitlines())) <= 60
    assert "Needle" in file.getvalue()
    assert "KL" in str(result.table("Needle"))
    assert str(result.table("all")).startswith("All 2 environments")
    assert list(result.verdicts) == [OTHER]
    assert all(sentence in str(result) for sentence in result.verdicts.values())
    assert "<table>" in result._repr_html_()
    assert repr(result) == f"<ComparisonResult of {DENSE}, {OTHER} in {result.folder}>"


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "handoffs"])
def test_every_figure_is_drawn_and_saved(name, result, tmp_path):
    figure = result.figure(name)
    figure.savefig(tmp_path / "figure.png")
    assert figure._repr_png_()[:4] == b"\x89PNG"
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_a_forest_leaves_out_what_cannot_be_measured_and_shows_each_agent(result):
    axes = [axis for axis in result.figure().axes if axis.has_data()]
    assert [axis.get_title() for axis in axes] == ["ToolCall", "Needle", "all together"]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["gptq-w4-g128"]


def test_a_curve_shows_success_along_a_number_of_the_tasks(result):
    [axis] = [axis for axis in result.figure("curve").axes if axis.has_data()]
    assert axis.get_xlabel() == "depth"  # the length is always the same
    dense, other = axis.get_lines()
    assert list(dense.get_ydata()) == [100] * 6
    assert list(other.get_ydata()) == [0, 0, 0, 100, 100, 100]
    with pytest.raises(ValueError, match=r"no number 'size' that varies describes these tasks.* are: depth"):
        result.figure("curve", fact="size")


def test_a_figure_that_cannot_be_drawn_says_why(result):
    with pytest.raises(ValueError, match="there is no figure 'forrest'; did you mean 'forest'"):
        result.figure("forrest")
    with pytest.raises(ValueError, match="there is no figure 'handoffs' of this run: no hand-offs were played"):
        result.figure("handoffs")
    with pytest.raises(ValueError, match="the figure 'forest' takes no options, got fact"):
        result.figure("forest", fact="depth")


def test_the_report_goes_where_it_is_asked_for(result, tmp_path):
    assert result.report() == result.folder / "report.html"
    page = result.report(tmp_path / "page.html").read_text()
    assert page == (result.folder / "report.html").read_text()
    assert "<svg" in page


def test_foreign_text_is_escaped_in_a_notebook(tmp_path):
    run = write_run(tmp_path / "run", words=HOSTILE, other=f"{DENSE}+<script>alert(1)</script>")
    finish(run)
    result = acgym.open_run(tmp_path / "run")
    for html in (result._repr_html_(), result.pair(result.agents[1], TOOLS, 3)._repr_html_()):
        assert "<script" not in html
        assert "<img" not in html
    assert "\x1b" not in str(result.pair(result.agents[1], TOOLS, 3))


def test_numbers_that_are_not_written_are_made_anew(result, tmp_path):
    (result.folder / "comparison.json").unlink()
    assert acgym.open_run(result.folder).numbers == result.numbers
    (result.run.folder(OTHER) / "episodes.jsonl").unlink()
    with pytest.raises(ValueError, match=r"is not finished: hf:Qwen\S+ has not played"):
        acgym.open_run(result.folder)
    with pytest.raises(FileNotFoundError, match="holds no run"):
        acgym.open_run(tmp_path / "none")
