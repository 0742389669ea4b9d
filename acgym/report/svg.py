"""Turns a matplotlib figure into SVG that may stand inside a page whose content policy allows no inline styles."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NO_MATPLOTLIB = (
    "No figure was drawn: matplotlib, which comes with acgym, cannot be imported here. Install it again with: "
    "pip install --force-reinstall matplotlib"
)

INK = "#000000"
"""Drawn in the colour of the page's text, light or dark."""
LOSS, GAIN, SOFT = "#d1495b", "#2a9d8f", "#8a8a8a"
COLOURS = ("#3b82c4", "#e08e0b", "#2a9d8f", "#d1495b", "#9467bd", "#7f8c1b", "#c06c9f", "#5aa9c9", "#a0785a", "#6b7fd7")
"""For agents and classes, in this order; each can be told from a white and from a black page."""
MARKERS = "osD^vP*Xph"

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: smaller, and found by the browser's search
    "text.parse_math": False,  # a dollar in an agent's name is a dollar
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
_LONG = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_SVG = "{http://www.w3.org/2000/svg}"


def agent_colour(number: int) -> str:
    """Return an agent's colour by its place in the run; the dense one, 0, has that of the text."""
    return INK if number == 0 else COLOURS[(number - 1) % len(COLOURS)]


def can_draw() -> bool:
    """Say whether matplotlib can be imported."""
    try:
        import_module("matplotlib.figure")
    except ImportError:
        return False
    return True


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Set matplotlib up, for this figure only and whatever the user's own settings are."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="matplotlib")  # a glyph that its own font lacks: the browser has one
        matplotlib.rcdefaults()
        settings: Any = {**_SETTINGS, "svg.hashsalt": name}
        matplotlib.rcParams.update(settings)
        yield


def panels(count: int, columns: int, width: float = 9.0, height: float = 2.6) -> tuple[Figure, list[Axes]]:
    """Make a figure of ``count`` axes, ``height`` inches a row; the rest of the last row stays empty."""
    from acgym.report.picture import Picture

    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Picture(figsize=(width, height * rows + 0.4), layout="constrained")
    axes = [axis for row in figure.subplots(rows, columns, squeeze=False) for axis in row]
    for axis in axes[count:]:
        axis.set_axis_off()
    for axis in axes[:count]:
        axis.grid(color=SOFT, alpha=0.25, linewidth=0.6)
    return figure, axes[:count]


def to_svg(figure: Figure, name: str, title: str) -> str:
    """Write a figure as one ``<svg>`` element: no style, no script, no link to anything but itself.

    Args:
        figure: drawn inside :func:`drawing`.
        name: letters only; told apart from the other figures of the page by it, so that ids never meet.
        title: read aloud in place of the figure.

    Returns:
        The same text for the same figure: no date, no random id. What was black is ``currentColor``.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ElementTree.fromstring(file.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        _plain(element, name)
    _drop_unused_ids(root)
    width, height = (float(value) for value in root.attrib.pop("viewBox").split()[2:])
    root.attrib |= {
        "viewBox": f"0 0 {width:g} {height:g}",
        "width": f"{width * 4 / 3:.0f}",
        "height": f"{height * 4 / 3:.0f}",
        "role": "img",
        "aria-label": title,
        "stroke-linejoin": "round",
        "fill": "currentColor",  # what says no colour of its own is black by default
    }
    return ElementTree.tostring(root, encoding="unicode")


def _plain(element: ElementTree.Element, name: str) -> None:
    """Make an element's style into attributes, its ids this figure's own, and its numbers short."""
    old = dict(element.attrib)
    element.attrib.clear()
    style = [part.partition(":") for part in old.pop("style", "").split(";") if part.strip()]
    for key, value in [*old.items(), *((key.strip(), value.strip()) for key, _, value in style)]:
        key = key.rpartition("}")[2]
        if key == "font":
            size = re.search(r"([\d.]+)px", value)
            element.set("font-size", size[1] if size else "9")
        elif key == "id":
            element.set("id", f"{name}-{value}")
        elif key not in ("version", "font-family"):
            element.set(key, _value(value, name))


def _value(value: str, name: str) -> str:
    if value == INK:
        return "currentColor"
    value = re.sub(r"url\(#", f"url(#{name}-", value)
    if value.startswith("#") and not re.fullmatch(r"#[0-9a-f]{6}", value):
        return f"#{name}-{value[1:]}"
    return _LONG.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), " ".join(value.split()))


def _drop_unused_ids(root: ElementTree.Element) -> None:
    text = " ".join(value for element in root.iter() for key, value in element.attrib.items() if key != "id")
    used = set(re.findall(r"#([\w-]+)", text))
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
