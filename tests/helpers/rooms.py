"""The rooms of the house: what each is for and which it may import; the layer test and the docs read it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Room(NamedTuple):
    """A package, or the flat files of one."""

    purpose: str
    may_import: tuple[str, ...]


ROOMS: dict[str, Room] = {
    # the ground: flat files that every room stands on
    "acgym": Room("types, text, spaces, draws, environments and suites", ()),
    "acgym.check": Room("an environment's contract, clause by clause", ("acgym",)),
    "acgym.model_files": Room("a model folder's files, looked over unloaded", ("acgym",)),
    "acgym.loop": Room(
        "the one loop in which an agent meets an environment", ("acgym", "acgym.agents", "acgym.record")
    ),
    "acgym.embed": Room("step texts to vectors by a local model", ("acgym.scorers",)),
    # pure numbers
    "acgym.scorers": Room("text against a reference", ("acgym",)),
    "acgym.metrics": Room("logits and hidden states to numbers", ("acgym.scorers",)),
    "acgym.statistics": Room("numbers to tests and intervals", ()),
    # episodes on disk, and what they say
    "acgym.record": Room("one run on disk", ("acgym",)),
    "acgym.analysis": Room("episodes and signals to a comparison", ("acgym", "acgym.record", "acgym.statistics")),
    "acgym.report": Room(
        "a comparison to sentences, tables, figures, pages",
        ("acgym", "acgym.analysis", "acgym.calibrate", "acgym.record", "acgym.statistics"),
    ),
    "acgym.results": Room(
        "a comparison in a script's hands: tables, data frames, pairs, figures",
        ("acgym", "acgym.analysis", "acgym.record", "acgym.report", "acgym.statistics"),
    ),
    "acgym.export": Room(
        "a comparison to other tools' files", ("acgym", "acgym.analysis", "acgym.record", "acgym.statistics")
    ),
    "acgym.scaffold": Room("a package of one's own, begun from a template", ()),
    # official data sets
    "acgym.data": Room("data sets that their authors publish: listed, fetched, checked", ("acgym",)),
    # environments: four capabilities, none of which knows another
    "acgym.envs": Room(
        "one register line an environment; names and their split; ACBench's suite", ("acgym", "acgym.data")
    ),
    "acgym.envs.tools": Room("tool use", ("acgym", "acgym.data", "acgym.envs", "acgym.scorers")),
    "acgym.envs.workflow": Room("workflow generation", ("acgym", "acgym.data", "acgym.envs", "acgym.scorers")),
    "acgym.envs.context": Room("long context", ("acgym", "acgym.data", "acgym.envs", "acgym.scorers")),
    "acgym.envs.world": Room("real-world applications", ("acgym", "acgym.data", "acgym.envs", "acgym.scorers")),
    # agents
    "acgym.agents": Room(
        "what replies: scripted, vLLM; prompts and decoding",
        ("acgym", "acgym.model_files", "acgym.record", "acgym.agents.tool_formats"),
    ),
    "acgym.agents.tool_formats": Room("how a model family writes a tool call", ("acgym",)),
    "acgym.agents.engine": Room("batched decoding of a local model", ("acgym", "acgym.agents")),
    "acgym.agents.local": Room(
        "an agent whose model runs here", ("acgym", "acgym.model_files", "acgym.agents", "acgym.agents.engine")
    ),
    "acgym.agents.remote": Room("models behind a server", ("acgym", "acgym.agents", "acgym.agents.tool_formats")),
    # compression
    "acgym.compress": Room("recipes", ("acgym", "acgym.compress.methods", "acgym.compress.options")),
    "acgym.compress.options": Room("what the words of a recipe set", ("acgym",)),
    "acgym.compress.methods": Room("one algorithm a file", ("acgym.compress.options",)),
    "acgym.compress.walk": Room(
        "the one walk over the layers",
        ("acgym", "acgym.compress", "acgym.compress.methods", "acgym.compress.options"),
    ),
    "acgym.compress.packed": Room("integers that run", ("acgym.compress.methods", "acgym.compress.walk")),
    "acgym.compress.formats": Room(
        "what other software loads",
        (
            "acgym",
            "acgym.model_files",
            "acgym.compress",
            "acgym.compress.methods",
            "acgym.compress.options",
            "acgym.compress.walk",
        ),
    ),
    "acgym.compress.stream": Room(
        "models larger than memory",
        (
            "acgym",
            "acgym.model_files",
            "acgym.compress",
            "acgym.compress.methods",
            "acgym.compress.walk",
            "acgym.compress.formats",
        ),
    ),
    # jobs that join them
    "acgym.calibrate": Room(
        "a calibration spec to token ids", ("acgym", "acgym.loop", "acgym.agents", "acgym.agents.local")
    ),
    "acgym.probe": Room(
        "the same tokens through models to signals",
        ("acgym", "acgym.record", "acgym.metrics", "acgym.agents.local", "acgym.compress.stream"),
    ),
    "acgym.assemble": Room(
        "an agent spec to an agent: the one place that joins agents and compression",
        (
            "acgym",
            "acgym.model_files",
            "acgym.calibrate",
            "acgym.data",
            "acgym.record",
            "acgym.agents",
            "acgym.agents.local",
            "acgym.agents.remote",
            "acgym.agents.tool_formats",
            "acgym.compress",
            "acgym.compress.methods",
            "acgym.compress.walk",
            "acgym.compress.packed",
            "acgym.compress.formats",
        ),
    ),
    "acgym.checkpoint": Room(
        "a compressed model to files",
        (
            "acgym",
            "acgym.assemble",
            "acgym.calibrate",
            "acgym.model_files",
            "acgym.agents.local",
            "acgym.compress",
            "acgym.compress.walk",
            "acgym.compress.formats",
            "acgym.compress.stream",
        ),
    ),
    "acgym.train": Room(
        "demonstrations to the reference agent, or to a pretrained model",
        ("acgym", "acgym.agents", "acgym.agents.local", "acgym.agents.tool_formats", "acgym.envs", "acgym.record"),
    ),
    "acgym.workers": Room("episodes shared out to processes", ("acgym", "acgym.loop", "acgym.record")),
    "acgym.experiment": Room(
        "the jobs on a run",
        (
            "acgym",
            "acgym.loop",
            "acgym.record",
            "acgym.analysis",
            "acgym.report",
            "acgym.results",
            "acgym.probe",
            "acgym.calibrate",
            "acgym.assemble",
            "acgym.workers",
            "acgym.agents",
            "acgym.agents.local",
        ),
    ),
    "acgym.cli": Room(
        "arguments in, one call, words out",
        (
            "acgym",
            "acgym.check",
            "acgym.loop",
            "acgym.data",
            "acgym.record",
            "acgym.statistics",
            "acgym.analysis",
            "acgym.report",
            "acgym.results",
            "acgym.export",
            "acgym.assemble",
            "acgym.checkpoint",
            "acgym.train",
            "acgym.experiment",
            "acgym.scaffold",
            "acgym.compress.formats",
        ),
    ),
}
"""Room -> its purpose and the rooms it may import. A module is in the room with the longest name that it starts with: a
package's flat files are one room, its sub-packages that have a row of their own are others."""


def room_of(module: str) -> str:
    """Name the room of a module; a flat file of ``acgym/`` is in the room ``acgym`` unless it has a row of its own."""
    while module not in ROOMS:
        module = module.rpartition(".")[0]
    return module


def mermaid() -> str:
    """Draw the table as a Mermaid graph: an arrow from each room to those that it may import, the ground left out."""
    short = {room: room.removeprefix("acgym.").replace(".", "_") for room in ROOMS}
    rows = [(room, row) for room, row in ROOMS.items() if room != "acgym"]
    lines = ["graph TD"]
    label = {room: room.removeprefix("acgym.").replace(".", "/") for room in ROOMS}
    lines += [f'  {short[room]}["{label[room]}<br/>{row.purpose}"]' for room, row in rows]
    for room, (_, allowed) in rows:
        lines += [f"  {short[room]} --> {short[other]}" for other in allowed if other != "acgym"]
    return "\n".join(lines)


PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
BEFORE, AFTER = "<!-- rooms -->\n", "<!-- /rooms -->\n"
"""Marks between which the page holds the picture."""


def with_picture(page: str) -> str:
    """Return the page with the picture of today's table."""
    head, _, rest = page.partition(BEFORE)
    return f"{head}{BEFORE}```mermaid\n{mermaid()}\n```\n{AFTER}{rest.partition(AFTER)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_picture(PAGE.read_text("utf-8")), encoding="utf-8")
