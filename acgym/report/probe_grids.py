"""The tables of ``acgym probe``: a row an agent, a column a signal."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.analysis.probe_result import ProbeResult
from acgym.record.sheet import SignalNumbers
from acgym.report.cells import DASH, Cell, Grid
from acgym.report.grids import number, percent
from acgym.text import printable

ALONE = (("ERank", "erank", ".1f"), ("Diff-\neRank", "diff_erank", ".1f"), ("energy", "energy", ".2f"),
         ("NLL", "nll", ".4f"), ("perplexity", "perplexity", ".3f"), ("margin", "margin", ".2f"))  # fmt: skip
MANY = 1e5
"""From here on a number is shown with an exponent: perplexity has no upper bound."""
COMPARED = (("|ΔE|", "energy_abs_shift", ".3f"), ("KL", "kl", ".4f"), ("JS", "js", ".4f"))
AGREEMENT = (("top-10\nJ", "topk_jaccard"), ("top-10\nτ", "topk_kendall"), ("top-10\nρ", "topk_spearman"))


def probe_grids(result: ProbeResult) -> list[Grid]:
    """Lay a probe out: a table an environment, and one of its layers."""
    found = []
    for env in result.envs:
        rows = {agent.name: agent.numbers(env) for agent in result.agents}
        found.append(_signals(result, env, rows))
        found += _layers(env, rows)
    return found


def _signals(result: ProbeResult, env: str, rows: Mapping[str, SignalNumbers | None]) -> Grid:
    own = result.options.own
    heads = ["agent", "tokens", *(head for head, _, _ in ALONE)]
    heads += [] if own else [*(head for head, _, _ in COMPARED), "flips\n%", *(head for head, _ in AGREEMENT)]
    table = []
    for name, row in rows.items():
        cells = [DASH] * (len(heads) - 1)
        if row is not None:
            cells = [f"{row.n_tokens:,}", *(_shown(getattr(row, key), style) for _, key, style in ALONE)]
            if not own:
                cells += [number(getattr(row, key), style) for _, key, style in COMPARED] + [percent(row.top1_flip)]
                cells += [number(row.at(key, "10"), ".3f") for _, key in AGREEMENT]
        table.append((Cell(printable(name)), *map(Cell, cells)))
    whose = "its own episodes" if own else f"the episodes of {result.dense}"
    which = "told" if result.options.told else "generated"
    return Grid(printable(f"{env}: tokens {which} in {whose}"), tuple(heads), tuple(table), fold=2 + len(ALONE))


def _shown(value: float | None, style: str) -> str:
    return number(value, style if value is None or abs(value) < MANY else ".3g")


def _layers(env: str, rows: Mapping[str, SignalNumbers | None]) -> list[Grid]:
    """Return the effective rank behind each layer, if any layer was watched."""
    ranks = {name: row.erank_layers for name, row in rows.items() if row is not None and row.erank_layers}
    numbers = sorted({int(layer) for row in ranks.values() for layer in row})
    if not numbers:
        return []
    table = [
        (Cell(printable(name)), *(Cell(number(row.get(str(layer)), ".1f")) for layer in numbers))
        for name, row in ranks.items()
    ]
    return [Grid(printable(f"{env}: effective rank behind layer"), ("agent", *map(str, numbers)), tuple(table))]


def probe_notes(result: ProbeResult) -> list[str]:
    """Say how the tables are to be read, and why what is missing is missing."""
    notes = []
    if result.options.own:
        notes.append(
            "Along their own episodes agents read different texts, and effective rank depends on how many tokens there "
            "are: compare an agent with itself here, and agents with each other without --own."
        )
    if result.options.temperature != 1:
        notes.append(f"Energies at temperature {result.options.temperature:g}.")
    reasons = {agent.name: agent.signals.reason for agent in result.agents}
    return [*notes, *(printable(f"{DASH} {name}: {why}.") for name, why in reasons.items() if why)]
