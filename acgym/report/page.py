"""Writes a comparison to one self-contained HTML file: verdict, tables, figures, episodes side by side."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from acgym.analysis.probe_result import own_signals
from acgym.analysis.race import RACE, Race
from acgym.analysis.result import ComparisonResult
from acgym.files import write_whole
from acgym.report import figures as report_figures
from acgym.report import signal_figures as report_signals
from acgym.report import tables as report_tables
from acgym.report.cells import DASH, Grid
from acgym.report.grids import grids
from acgym.report.legend import legend
from acgym.report.margin import margin_grids
from acgym.report.material import Material, Missing
from acgym.report.needle import needles
from acgym.report.pairs import Packed, pack
from acgym.report.paper_table import paper_tables
from acgym.report.probe_grids import probe_grids, probe_notes
from acgym.report.published import published
from acgym.report.race import race_grid, race_sentences
from acgym.report.replies import degenerate_grids, inflation_grids
from acgym.report.svg import NO_MATPLOTLIB, can_draw, drawing, to_svg
from acgym.report.verdict import verdict
from acgym.text import printable
from acgym.typed import from_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from acgym.record.run import Run

TEMPLATES = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Piece:
    """One piece of the page: tables or a figure, or why there is none."""

    name: str
    title: str
    note: str = ""
    tables: tuple[Grid, ...] = ()
    svg: str = ""
    reason: str = ""


FIGURES: tuple[tuple[Piece, Callable[[Material], Figure]], ...] = (
    (Piece("size", "Success against size", "Over all environments, with 95 % intervals; dashed: the best of each "
           "size."), report_figures.size),
    (Piece("flips", "Flips", "Episodes that only the dense agent solved (lost) and that only the other one solved "
           "(won)."), report_figures.flips),
    (Piece("divergence", "Where pairs first took another way", "Turn of the first other decision, and what came of "
           "it."), report_figures.divergence),
    (Piece("failures", "How the lost episodes were lost", "Exactly one class for each, by the rules of "
           "acgym.analysis.failure."), report_figures.failures),
    (Piece("handoffs", "Hand-offs", "Lost pairs, solved after k turns of one agent and the rest of the other, with 95 "
           "% intervals."), report_figures.handoffs),
    (Piece("energies", "Energy, dense against compressed", "On the tokens that the dense agent wrote; thick: the "
           "dense model."), report_signals.energies),
    (Piece("positions", "Agreement along positions", "With the dense model, on the tokens that the dense agent wrote; "
           "averaged over tenths of the tokens."), report_signals.positions),
    (Piece("layers", "Effective rank of each layer", "Of the hidden states at the dense agent's decision tokens."),
     report_signals.layers),
    (Piece("needles", "Long-context retrieval by length and depth", "Share of episodes solved; depth is where in the "
           "text the answer lies. Empty: no such episode."), needles),
)  # fmt: skip

TABLES: tuple[tuple[Piece, Callable[[Material], Grid]], ...] = (
    (Piece("calibrations", "Calibrations"), report_tables.calibrations),
    (Piece("prediction", "Do the signals predict what was lost?"), report_tables.predictions),
    (Piece("noise", "Noise floor"), report_tables.noise_floor),
)


def write_report(result: ComparisonResult, path: Path, run: Run | None = None) -> None:
    """Write a comparison as one page that needs no other file and no network.

    Everything foreign in it is escaped, and its content security policy lets only its own script run. Figures need
    matplotlib; without it the page has its tables and says how to get them. The same run gives the same page.

    Args:
        result: the comparison.
        path: of the file; written whole or not at all.
        run: the run that was compared; without it the page has neither episodes nor figures of signals.

    Raises:
        OSError: if it cannot be written.
    """
    write_whole(path, render(result, run).encode("utf-8", "backslashreplace"))


def render(result: ComparisonResult, run: Run | None = None, notice: str = "") -> str:
    """Return the page that :func:`write_report` writes, with a ``notice`` on top if there is one."""
    material = Material(result, run)
    pairs, why = _pairs(material)
    return fill(
        dense=result.dense,
        verdict=verdict(result),
        pieces=pieces(material),
        no_pairs=why,
        pairs=pairs,
        legend=legend(result),
        notice=notice,
    )


def fill(
    *,
    dense: str,
    verdict: Sequence[str],
    pieces: Sequence[Piece],
    no_pairs: str,
    pairs: Packed | None = None,
    legend: Sequence[str] = (),
    notice: str = "",
) -> str:
    """Fill the page's template.

    Args:
        dense: the first agent's name.
        verdict: sentences for the top.
        pieces: tables and figures, in their order.
        no_pairs: why there are no episodes, where ``pairs`` is None.
        pairs: the episodes.
        legend: how to read it, a paragraph each.
        notice: goes above everything, if there is one.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script, style = (_own(name) for name in ("page.js", "page.css"))
    return environment.from_string(_own("page.html")).render(
        policy=policy(script, style),
        script=script,
        style=style,
        notice=printable(notice),
        dense=printable(dense),
        verdict=verdict,
        pieces=pieces,
        pairs=pairs,
        no_pairs=no_pairs,
        legend=legend,
        dash=DASH,
    )


def policy(script: str, style: str, more: str = "") -> str:
    """Return a content security policy that lets one script and one style sheet of ours be used, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        f"base-uri 'none'; form-action 'none'{more}"
    )


_NO_FIGURES = Piece("figures", "Figures", reason=NO_MATPLOTLIB)


def pieces(material: Material) -> list[Piece]:
    """Make every piece of the page in its order; what cannot be made says why."""
    main = Piece("capabilities", "Success by capability and recipe", tables=(report_tables.capabilities(material),))
    each = Piece("environments", "Each environment", tables=tuple(grids(material.result)))
    shown = Piece("published", "Published numbers", *_published(material))
    paper = Piece("paper", "ACBench's tasks", tables=tuple(paper_tables(material.result)))
    asked = margin_grids(material.result)
    margin = [Piece("margin", asked[0].title, tables=tuple(asked))] if asked else []
    said = Piece("tokens", "Tokens and turns", *_tables(inflation_grids(material.result, every=True)))
    broken = Piece("degenerate", "Degenerate replies", *_tables(degenerate_grids(material.result, always=True)))
    own = Piece("own", "Along their own episodes", *_own_signals(material))
    figures = [_figure(piece, draw, material) for piece, draw in FIGURES] if can_draw() else [_NO_FIGURES]
    further = [_table(piece, make, material) for piece, make in TABLES]
    return [
        *_race(material),
        main,
        *margin,
        *([paper] if paper.tables else []),
        *figures,
        said,
        broken,
        *further,
        shown,
        each,
        own,
    ]


def _figure(piece: Piece, draw: Callable[[Material], Figure], material: Material) -> Piece:
    try:
        with drawing(piece.name):
            return replace(piece, svg=to_svg(draw(material), piece.name, piece.title))
    except Missing as why:
        return replace(piece, note="", reason=printable(str(why)))


def _table(piece: Piece, make: Callable[[Material], Grid], material: Material) -> Piece:
    try:
        return replace(piece, tables=(make(material),))
    except Missing as why:
        return replace(piece, reason=printable(str(why)))


def _race(material: Material) -> list[Piece]:
    """Show the race where recipes raced ('acgym choose')."""
    kept = None if material.run is None else material.run.read_json(RACE)
    if kept is None:
        return []
    found = from_json(Race, kept, RACE)
    return [Piece("race", "The race", " ".join(race_sentences(found)), (race_grid(found),))]


def _tables(found: list[Grid]) -> tuple[str, tuple[Grid, ...], str, str]:
    """Return note, tables, figure (none) and reason."""
    return (
        "",
        tuple(found),
        "",
        "" if found else "there is nothing to compare, or the run was compared by an older acgym",
    )


def _own_signals(material: Material) -> tuple[str, tuple[Grid, ...], str, str]:
    """Return note, tables, figure (none) and reason."""
    found = None if material.run is None else own_signals(material.run, [agent.name for agent in material.agents])
    if found is None:
        return "", (), "", "the signals there were not measured ('acgym probe RUN --own' does)"
    return " ".join(probe_notes(found)), tuple(probe_grids(found)), "", ""


def _published(material: Material) -> tuple[str, tuple[Grid, ...], str, str]:
    """Return note, tables, figure (none) and reason."""
    found = published(material.result)
    if not found:
        return "", (), "", "none of these models and tasks is in the numbers of ACBench's repository"
    return "", tuple(found), "", ""


def _pairs(material: Material) -> tuple[Packed | None, str]:
    try:
        return pack(material), ""
    except Missing as why:
        return None, printable(str(why))


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")
