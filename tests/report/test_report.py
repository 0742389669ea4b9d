"""The report: self-contained, every number where it belongs, nothing foreign interpreted, nothing missing unsaid."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from acgym.record.run import Run
from acgym.report import figures as report_figures
from acgym.report import page as report
from acgym.report import signal_figures as report_signals
from acgym.report import tables as report_tables
from acgym.report.grids import grids
from acgym.report.legend import legend
from acgym.report.material import Material, Missing
from acgym.report.needle import place
from acgym.report.page import render, write_report
from acgym.report.summary import recommendation
from acgym.report.svg import drawing, to_svg
from acgym.report.verdict import verdict
from acgym.text import printable
from tests.helpers.report_runs import DENSE, HOSTILE, OTHER, finish, needle, write_run
from tests.helpers.results import read as read_result

_OURS = """html head meta title style body header main section nav h1 h2 p a dl dt dd
figure figcaption table caption thead tbody
tr th td noscript form input select output div ol article script svg g path text defs use clippath rect span"""
OURS = set(re.findall(r"\w+", _OURS))


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.attributes, self.raw = set(), [], [], {}
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.inside = tag
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside in ("script", "style"):
            self.raw.setdefault(self.inside, []).append(data)
        else:
            self.words.append(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    run = write_run(tmp_path_factory.mktemp("made") / "run")
    return finish(run), run


@pytest.fixture(scope="module")
def page(made):
    return render(*made)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    run = write_run(tmp_path_factory.mktemp("made") / "run", f"{HOSTILE[:50]}$x_1$", "b" + HOSTILE[:60], words=HOSTILE)
    return render(finish(run), run)


def test_nothing_foreign_is_interpreted(hostile, page):
    for text in (hostile, page):
        read = Reader(text)
        assert read.tags <= OURS
        assert {key for _, key, _ in read.attributes if key.startswith("on") or key in ("style", "src")} == set()
        assert all(value.startswith("#") for _, key, value in read.attributes if key.endswith("href"))
        assert not re.search(r"@import|\x1b|\u202e|\u2028|url\((?!#)", text)
        assert text.count("<script") == 2  # the episodes, which are base64, and the program
    assert any("$x_1$" in words for words in Reader(hostile).words)
    assert "</script><script>" in "".join(Reader(hostile).words)


def test_policy_lets_the_page_s_own_script_and_style_pass_and_nothing_else(hostile):
    read = Reader(hostile)
    rule = next(value for tag, key, value in read.attributes if tag == "meta" and key == "content" and "src" in value)
    hashes = [base64.b64encode(hashlib.sha256(read.raw[tag][-1].encode()).digest()).decode() for tag in read.raw]
    assert set(re.findall(r"'sha256-([^']*)'", rule)) == set(hashes)
    assert rule.startswith("default-src 'none'; ")
    assert "unsafe" not in rule


def test_ids_are_the_page_s_own_and_every_link_inside_leads_somewhere(page):
    read = Reader(page)
    ids = [value for _, key, value in read.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for _, key, value in read.attributes if key.endswith("href")}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", page))
    assert wanted <= set(ids)
    assert {f"{piece}" for piece in ("size", "flips", "needles", "episodes")} <= set(ids)


def test_page_says_what_the_terminal_says(made, page):
    words = " ".join(Reader(page).words)
    for grid in grids(made[0]):
        assert grid.title in words
        assert all(cell.text in words for row in grid.rows for cell in row)
    assert all(line in words for line in [*verdict(made[0]), *legend(made[0])])
    assert words.index(recommendation(made[0])) < words.index("What each agent lost")
    assert words.index(verdict(made[0])[0]) < words.rindex("Success by capability")


def test_the_same_run_gives_the_same_page(made, page):
    assert render(made[0], Run.read(made[1].path)) == page


def test_figures_show_the_numbers(made):
    pieces = {piece.name: piece for piece in report.pieces(Material(*made))}
    texts = {name: words_of(piece.svg) for name, piece in pieces.items()}
    assert {name for name, piece in pieces.items() if piece.svg} == {
        "losses", "size", "flips", "divergence", "failures", "energies", "positions", "layers", "needles"
    }  # fmt: skip
    assert [text for text in texts["flips"] if text.isdigit()] == ["1", "1", "3"]  # 1 lost, 1 won; 3 lost needles
    assert "gptq-w4-g128" in texts["size"]
    assert "top-10 Jaccard" in texts["positions"]
    assert "wrong argument" in texts["failures"]
    assert "format" in texts["failures"]
    assert pieces["handoffs"].reason.startswith("no hand-offs were played")
    assert pieces["noise"].reason.startswith("the dense agent was not played twice")
    assert pieces["own"].reason.startswith("the signals there were not measured")


def test_capability_table_by_hand(made):
    grid = report_tables.capabilities(Material(*made))
    assert grid.heads == ("agent", "ToolCall", "Needle", "all")
    cell = grid.rows[1][2]
    assert cell.text.startswith("50.0 (18.8 to 81.2)\n-50.0 (")
    assert grid.rows[0][2].text == "100.0 (61.0 to 100.0)"


def test_published_numbers_stand_beside(page):
    words = " ".join(Reader(page).words)
    assert "AgentBoard as published (progress rate, %)" in words
    assert "98.3 (-0.3)" in words  # needles of 1k to 32k tokens: 0.983 by GPTQ, 0.986 dense
    assert "compare changes, not levels" in words


def test_with_a_broken_matplotlib_the_page_has_its_tables_and_says_so_once(made, monkeypatch):
    monkeypatch.setattr(report, "can_draw", lambda: False)
    text = render(*made)
    assert "<svg" not in text
    assert " ".join(Reader(text).words).count("pip install --force-reinstall matplotlib") == 1
    assert "98.3 (-0.3)" in text


def words_of(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_handoff_curves_are_drawn(made):
    def curve(*values):
        return [{"k": k, "n": 4, "success": v, "low": v / 2, "high": (1 + v) / 2} for k, v in enumerate(values)]

    result = made[0].to_json()
    lost = {"pairs": 4, "curves": {"other": curve(1, 0.5, 0), "dense": curve(0, 0.25, 1)}}
    lost |= {"fatal_turns": [], "fatal_at_difference": 0, "unknown": 4}
    result["agents"][1]["handoff"] = {"all": {"lost": lost, "kept": {"pairs": 0, "curves": {}}}}
    with drawing("handoffs"):
        words = words_of(to_svg(report_figures.handoffs(Material(read_result(result))), "handoffs", "Hand-offs"))
    assert "gptq-w4-g128 (4 pairs)" in words
    assert {"k turns compressed, then dense", "k turns dense, then compressed"} <= set(words)


def test_one_recipe_under_two_calibrations(made):
    result = made[0].to_json()
    with pytest.raises(Missing, match="calibrated in two ways"):
        report_tables.calibrations(Material(read_result(result)))
    for name in ("other+wanda-50", f"{OTHER}@text:a.txt,64x512", f"{OTHER}@packed"):
        result["agents"].append({**result["agents"][1], "name": name})
    grid = report_tables.calibrations(Material(read_result(result)))
    assert [row[0].text for row in grid.rows] == [OTHER, f"{OTHER}@text:a.txt,64x512"]
    assert grid.rows[0][2].text.startswith("50.0 (18.8 to 81.2)")


def test_noise_floor_by_hand(made):
    result = made[0].to_json()
    again = copy.deepcopy(result["agents"][1]) | {"name": f"{DENSE}@rerun"}
    for row in again["comparisons"].values():
        row |= {"success_difference": 0.0, "lost": 0, "won": 0}
    # the mean of both environments, though one has a pair more
    result["agents"].append(again)
    result["noise_floor"] = again["name"]
    grid = report_tables.noise_floor(Material(read_result(result)))
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["ToolCall", "+0.0", "0/0", "5", "0.0"],
        ["Needle", "+0.0", "0/0", "6", "50.0"],
        ["all", "+0.0", "0/0", "11", "25.0"],
    ]


def test_predictions_by_hand(made):
    result = made[0].to_json()
    with pytest.raises(Missing):
        report_tables.predictions(Material(read_result({**result, "prediction": None})))
    ends = {"low": 0.25, "high": 1.0}
    recipe = {"n": 5, "kendall": 0.8, "kendall_interval": ends, "p": 0.083, "spearman": 0.9, "spearman_interval": None}
    episode = {"n": 40, "n_lost": 9, "auroc": 0.75, "interval": ends}
    result["prediction"] = {"recipes": {"all": {"kl": recipe}}, "episodes": {"kl": episode, "nll_dense": episode}}
    rows = [[cell.text for cell in row] for row in report_tables.predictions(Material(read_result(result))).rows]
    assert rows == [
        ["kl", "5", "0.80 (0.25 to 1.00)", "0.083", "0.90", "9/40", "0.75 (0.25 to 1.00)"],
        ["nll_dense", "-", "-", "-", "-", "9/40", "0.75 (0.25 to 1.00)"],
    ]


def test_nothing_smaller_beats_the_front():
    points = [(4.0, 90.0), (1.0, 30.0), (2.0, 95.0), (3.0, 80.0), (2.0, 20.0)]
    assert report_figures._front(points) == [(1.0, 30.0), (2.0, 95.0), (4.0, 95.0)]


@pytest.fixture
def plain(monkeypatch):
    """Leave the figures out: they take most of the time."""
    monkeypatch.setattr(report, "FIGURES", ())


@pytest.mark.usefixtures("plain")
def test_without_a_run_what_is_missing_has_its_reason(made):
    words = " ".join(Reader(render(made[0])).words)
    assert "- the episodes are not at hand." in words


@pytest.mark.parametrize("draw", [report_signals.energies, report_signals.positions])
def test_signals_that_cannot_be_read_are_a_reason(draw, made, tmp_path):
    with pytest.raises(Missing, match="not at hand"):
        draw(Material(made[0]))
    run = write_run(tmp_path / "run")
    result = finish(run)
    (run.folder(OTHER) / "signals.safetensors").write_bytes(b"torn")
    with pytest.raises(Missing, match="its signals cannot be read"):
        draw(Material(result, run))


@pytest.mark.usefixtures("plain")
def test_failed_agent_has_dashes(tmp_path):
    run = write_run(tmp_path / "run")
    result = finish(run).to_json()
    for env in result["agents"][1]["scores"]:
        result["agents"][1]["scores"][env] = {"reason": "no <memory>", "n": 0, "n_failed": 6}
        result["agents"][1]["comparisons"][env] = {"reason": "no <memory>", "n": 0, "n_failed": 6}
    result["agents"][1]["signals"] = dict.fromkeys(result["agents"][1]["signals"])
    read = Reader(render(read_result(result)))
    assert "memory" not in read.tags
    assert any("no <memory>" in words for words in read.words)


@pytest.mark.usefixtures("plain")
def test_report_is_one_file(made, tmp_path):
    write_report(made[0], tmp_path / "report.html", made[1])
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").stat().st_size < 100_000


def test_agents_are_named_whole_in_tables_and_short_in_figures(made):
    material = Material(*made)
    assert material.label(OTHER) == "gptq-w4-g128"
    assert material.label(DENSE) == printable(DENSE)
    assert len(material.label("x" * 300)) <= 44


def test_a_place_is_what_the_episode_records():
    assert place(needle(0, True, 25)) == (115, 25)
    assert place(replace(needle(0, True, 25), facts={"length": 115})) is None
