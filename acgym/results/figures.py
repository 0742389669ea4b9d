"""The figures that a script can ask for by name."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from acgym.report import figures, forest, signal_figures
from acgym.report.material import Material, Missing
from acgym.report.needle import needles
from acgym.report.svg import NO_MATPLOTLIB, can_draw, drawing

if TYPE_CHECKING:
    from acgym.report.picture import Picture

FIGURES: dict[str, Callable[..., Any]] = {
    "forest": forest.forest,
    "pareto": figures.size,
    "curve": forest.curve,
    "flips": figures.flips,
    "divergence": figures.divergence,
    "failures": figures.failures,
    "handoffs": figures.handoffs,
    "energies": signal_figures.energies,
    "positions": signal_figures.positions,
    "layers": signal_figures.layers,
    "needles": needles,
}


def draw(material: Material, name: str, **options: Any) -> Picture:
    """Draw a figure on white; see :meth:`acgym.results.comparison.ComparisonResult.figure`.

    Raises:
        ValueError: for a name that there is not, or a figure that there is nothing for.
        ImportError: if matplotlib cannot be imported.
    """
    if name not in FIGURES:
        near = get_close_matches(name, FIGURES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no figure {name!r}; {hint}Known: {', '.join(FIGURES)}")
    if options and name != "curve":
        raise ValueError(f"the figure {name!r} takes no options, got {', '.join(options)}")
    if not can_draw():
        raise ImportError(NO_MATPLOTLIB)
    try:
        with drawing(name):
            made = cast("Picture", FIGURES[name](material, **options))
    except Missing as why:
        raise ValueError(f"there is no figure {name!r} of this run: {why}") from None
    made.set_facecolor("white")
    for axis in made.axes:
        axis.set_facecolor("white")
    return made
