"""Tables: every number where it belongs, a dash for what is missing, nothing foreign interpreted."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from acgym.cli.show import show_comparison, show_conversation, show_environments
from acgym.experiment.progress import watching
from acgym.record.episode import Episode, Turn
from acgym.report.cells import Cell
from acgym.report.grids import grids
from acgym.report.legend import legend
from acgym.report.material import Material
from acgym.report.rich_tables import broken
from acgym.report.tables import capabilities
from acgym.text import printable
from tests.helpers.registry import IDS
from tests.helpers.results import comparison_row, read, score_row

HOSTILE = "hf:<script>alert(1)</script>[red]x[/red]\x1b[31m\x07&\u202e'\""


def score(success=0.5, n_failed=0):
    return score_row(success=success, n=4, n_failed=n_failed, format_error_rate=0.25, decision_error_rate=0.125,
                     generated_tokens=12.4)  # fmt: skip


def comparison(difference=-0.25, p=0.04, drop=0.5, **more):
    return comparison_row(
        success_difference=difference, success_interval={"low": -0.5, "high": 0.125}, p=0.02, p_holm=p, p_mid=0.0004,
        p_mid_holm=0.0008, lost=7, won=3, detectable_drop=drop, episodes_for_two_points=4321, **more,
    )  # fmt: skip


SIGNALS = {
    "n_tokens": 10, "n_sequences": 2, "diff_erank": None, "nll": 0.5,
    "erank": 31.25, "energy": -7.5, "energy_abs_shift": 0.1234, "kl": 0.05678,
    "topk_jaccard": {"3": 0.1, "10": 0.625, "20": 0.2}, "topk_kendall": {"3": 0.3, "10": None, "20": 0.4},
}  # fmt: skip


def result(name="q", envs=("A/B-v0", "A/C-v0"), failed=False):
    reason = {"reason": "no finished episodes: <b>memory</b>", "n": 0, "n_failed": 4}
    labels = [*envs, "all"]
    play = {"seconds": 1.5 * len(envs), "episodes": 4 * len(envs)}
    dense = {"name": "dense", "sheet": {"bits_per_weight": 16.0, "weight_bytes": 2_500_000, "play": play},
             "scores": {env: score(0.75) for env in labels}, "comparisons": {},
             "signals": dict.fromkeys(labels, SIGNALS)}  # fmt: skip
    other = {"name": name, "sheet": {"signals": {"reason": "no model"}},
             "scores": {env: reason if failed else score() for env in labels},
             "comparisons": {env: reason if failed else comparison() for env in labels},
             "signals": dict.fromkeys(labels)}  # fmt: skip
    settings = {"envs": {env: {"level": 1} for env in envs}, "episodes": 4, "agents": ["dense", name]}
    anchors = {envs[0]: {"success": 0.0625, "progress": 0.5}, **dict.fromkeys(envs[1:])}
    return {"settings": settings, "dense": "dense", "anchors": anchors, "agents": [dense, other]}


def shown(value, width):
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    show_comparison(read(value), console)
    return console.file.getvalue()


def column(grid, head):
    at = [h.replace("\n", " ") for h in grid.heads].index(head)
    return [row[at].text for row in grid.rows]


def test_cells_by_hand():
    first, second, pooled, costs = grids(read(result()))
    assert first.title == "A/B-v0 (level=1), 4 episodes, random policy 6.2 %"
    assert second.title == "A/C-v0 (level=1), 4 episodes"
    assert pooled.title == "All 2 environments, 4 episodes in each"
    assert column(first, "success %") == ["75.0", "50.0"]
    assert column(first, "difference (95 % interval)") == ["-", "-25.0 (-50.0 to +12.5)"]
    assert column(first, "p") == ["-", "0.040"]
    assert column(first, "mid-p") == ["-", "<0.001"]
    assert column(first, "lost/ won") == ["-", "7/3"]
    assert column(first, "format err %") == ["25.0", "25.0"]
    assert column(first, "decision err %") == ["12.5", "12.5"]
    assert [cell.text for cell in first.rows[0][-6:]] == ["31.2", "0.625", "-", "-7.50", "0.123", "0.0568"]
    assert [cell.text for cell in first.rows[1][-6:]] == ["-"] * 6
    assert [cell.text for cell in costs.rows[0]] == ["dense", "16.00", "2.50", "-", "-", "3.0", "-", "12"]
    assert "50.0 points; a drop of 2 points would need 4,321 episodes." in first.note
    assert "would need 2,161 episodes in each." in pooled.note


def test_success_above_the_heuristic_stands_beside_success():
    value = result()
    value["heuristic_anchors"] = {"A/B-v0": {"success": 0.625, "progress": 0.7}, "A/C-v0": None}
    first, second, pooled, _ = grids(read(value))
    assert [head.replace("\n", " ") for head in first.heads[1:3]] == ["success %", "above heuristic"]
    assert column(first, "above heuristic") == ["+12.5", "-12.5"]
    assert not any("heuristic" in grid.heads[2] for grid in (second, pooled))  # not stated for one of them
    assert any(line.startswith("Above heuristic") for line in legend(read(value)))
    value["heuristic_anchors"]["A/C-v0"] = {"success": 0.125, "progress": 0.2}
    assert column(grids(read(value))[2], "above heuristic") == ["+37.5", "+12.5"]
    assert not any(line.startswith("Above heuristic") for line in legend(read(result())))
    told = [[cell.text.split("\n")[1] for cell in row[1:]] for row in capabilities(Material(read(value))).rows]
    assert told == [["+12.5 above heuristic", "+62.5 above heuristic", "+37.5 above heuristic"],
                    ["-12.5 above heuristic", "+37.5 above heuristic", "+12.5 above heuristic"]]  # fmt: skip
    failed = {**result(failed=True), "heuristic_anchors": value["heuristic_anchors"]}
    assert column(grids(read(failed))[0], "above heuristic") == ["+12.5", "-"]


def test_tone_needs_significance():
    tones = []
    for difference, p in [(-0.25, 0.04), (0.25, 0.04), (-0.25, 0.06)]:
        value = result()
        value["agents"][1]["comparisons"]["A/B-v0"] = comparison(difference, p)
        tones.append(grids(read(value))[0].rows[1][2].tone)
    assert tones == ["loss", "gain", ""]


def test_uncorrected_p_stands_where_there_is_no_correction():
    value = result()
    value["agents"][1]["comparisons"]["all"] = comparison(p=None)
    assert column(grids(read(value))[2], "p") == ["-", "0.020"]


def test_failed_agent_has_no_number():
    value = result(failed=True)
    for grid in grids(read(value))[:3]:
        assert column(grid, "failed") == ["0", "4"]
        row = [cell for cell, head in zip(grid.rows[1], grid.heads, strict=True) if head not in ("agent", "failed")]
        assert row == [Cell("-")] * len(row)
        assert grid.note == ""
    assert any("no finished episodes" in line for line in legend(read(value)))


def test_seconds_that_miss_episodes_are_not_shown():
    value = result()
    value["agents"][0]["sheet"]["play"]["episodes"] -= 1
    assert column(grids(read(value))[-1], "play s") == ["-", "-"]


def test_one_agent_in_one_environment_compares_nothing():
    value = result(envs=("A/B-v0",))
    del value["agents"][1]
    assert [grid.title.split(",")[0] for grid in grids(read(value))] == ["A/B-v0 (level=1)", "Size and time"]
    text = shown(value, 170)
    assert "lost/" not in text
    assert "McNemar" not in text
    assert "31.2" in text


def test_every_missing_thing_has_its_reason():
    assert "q: no model." in legend(read(result()))


@pytest.mark.parametrize("width", [80, 100, 120, 170, 200])
@pytest.mark.parametrize("name", ["reference+magnitude-50", "hf:/a/long/path/to/a/model+sparsegpt-50+gptq-w4-g64"])
def test_nothing_is_cut_at_any_width(name, width):
    value = result(name)
    lines = shown(value, width).splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    words = text.split()
    for head in ("success", "difference", "p", "mid-p", "lost/", "won", "format", "decision", "ERank", "J", "KL", "τ"):
        assert head in words, f"a column was lost: {head}"
    for number in ("75.0", "12.5", "-25.0 (-50.0 to +12.5)", "0.040", "7/3", "31.2", "0.0568", "16.00"):
        assert number in text


NAMES = {
    "hf:./some-model+sparsegpt-50+gptq-w4-g128-actorder": [
        "hf:./some-model",
        "+sparsegpt-50",
        "+gptq-w4-g128-actorder",
    ],
    "reference+magnitude-50": ["reference+magnitude-50"],
    "hf:/a/long/path/to/models/qwen2.5-7b": ["hf:/a/long/path/to/", "models/qwen2.5-7b"],
    "openai:x": ["openai:x"],
}


@pytest.mark.parametrize(("name", "lines"), NAMES.items())
def test_long_names_break_where_a_step_or_a_word_begins(name, lines):
    assert broken(name, 24).split("\n") == lines


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_name_is_never_broken_within_a_word(width):
    name = "hf:./my-model+sparsegpt-2:4-damp0.01+gptq-w4-g128-actorder"
    rows = [
        line.split()[0] for line in shown(result(name), width).splitlines() if line.startswith(" ") and line.split()
    ]
    pieces = [row for row in rows if row in name and row != "p"]
    starts = {"".join(pieces[i:j]) for i in range(len(pieces)) for j in range(i + 1, min(i + 5, len(pieces) + 1))}
    assert name in starts
    assert all(piece[0] in "+-@h" for piece in pieces)


def test_where_nothing_can_be_lost_the_table_has_a_dash_and_the_reason():
    value = result()
    for env in ("A/B-v0", "all"):
        value["agents"][1]["comparisons"][env] = comparison(0.0, 1.0, dense_success=0.0)
    first, second, pooled, _ = grids(read(value))
    assert column(first, "difference (95 % interval)") == column(pooled, "difference (95 % interval)") == ["-", "-"]
    assert column(first, "p") == ["-", "-"]
    assert column(first, "lost/ won") == ["-", "7/3"]
    assert "A/B-v0 cannot be measured here, since dense solves 0.0 %" in first.note
    assert "cannot be measured" not in second.note
    assert "A/B-v0 cannot be measured" in pooled.note
    assert "Smallest drop" not in first.note


def test_wide_output_is_one_table_for_each_environment():
    head = [line for line in shown(result(), 170).splitlines() if "ERank" in line and "energy   |ΔE|" in line]
    assert len(head) == 3
    assert all("interval" in line for line in head)


def episode(text):
    turn = Turn("user", text, text, text, 0.0, 0.0, False, None, "stop", 0.0)
    return Episode("A/B-v0", {}, "eval", 0, HOSTILE, "h", "k", (), None, None, (turn,), text, "finished", None, False,
                   0.0, False, 0.0)  # fmt: skip


def test_foreign_text_does_nothing_to_the_terminal():
    console = Console(width=200, file=io.StringIO(), force_terminal=True, color_system=None)
    show_conversation(episode("[bold]loud[/bold] :smile: \x1b]0;title\x07 \ud800 \x9b1m end"), console)
    show_comparison(read(result(HOSTILE)), console)
    text = console.file.getvalue()
    assert "[bold]loud[/bold] :smile:" in text
    assert r"\x1b]0;title\x07 \ud800 \x9b1m end" in text
    assert not set(text) & set("\x1b\x07\x9b\u202e\ud800")


def test_printable_keeps_what_people_write():
    assert printable("naïve ½ 日本\nτ") == "naïve ½ 日本\nτ"
    assert printable("a\tb\r\u2028") == r"a\tb\r\u2028"


def test_environments_are_listed_with_their_anchors():
    console = Console(width=120, file=io.StringIO())
    show_environments(IDS, console)
    text = console.file.getvalue()
    for name in IDS:
        assert name in text


def test_progress_is_lines_without_a_terminal():
    console = Console(file=io.StringIO(), width=40)
    with watching(4, console) as listener:
        listener.stage(HOSTILE, "loading")
        for done in (0, 1, 2, 2):
            listener.playing("a", "A/B-v0", done, 2)
    assert console.file.getvalue() == f"{printable(HOSTILE)}: loading\na: A/B-v0, 2 episodes played\n"


def test_progress_is_a_bar_on_a_terminal():
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    with watching(4, console) as listener:
        listener.playing("a", "A/B-v0", 2, 2)
        listener.stage("[red]b", "loading")
        listener.playing("[red]b", "A/B-v0", 1, 2)
    assert "[red]b: A/B-v0" in console.file.getvalue()
    assert "3/4" in console.file.getvalue()
