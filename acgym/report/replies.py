"""Tables of what agents said: how much more than the dense one, and which replies had come apart."""

from __future__ import annotations

from acgym.analysis.degenerate import KINDS, Degenerate
from acgym.analysis.inflation import Inflation, Ratio
from acgym.analysis.result import POOLED, ComparisonResult
from acgym.report.cells import DASH, Cell, Grid, Tone
from acgym.report.words import short_env
from acgym.text import printable

_WORDS = {"repetition": "loops", "runaway": "runaway", "silent": "silent", "narrated": "narrated"}


def inflation_grids(result: ComparisonResult, every: bool = False) -> list[Grid]:
    """Lay out tokens and turns against the dense agent's; of all environments together, or of ``every`` one too."""
    labels = result.labels if every else result.labels[-1:]
    return [grid for label in labels if (grid := _inflation(result, label)) is not None]


def _inflation(result: ComparisonResult, label: str) -> Grid | None:
    rows = {
        agent.name: row for agent in result.others if isinstance(row := (agent.inflation or {}).get(label), Inflation)
    }
    if not rows:
        return None
    thinking = any(row.thinking is not None for row in rows.values())
    heads = ["agent", "turns\n× (95 %)", "tokens\n× (95 %)", *(["thinking\n× (95 %)"] if thinking else []),
             "tokens, both\nsolved × (95 %)", "tokens per\nsolved", "× dense\n(95 %)"]  # fmt: skip
    cells = []
    for name, row in rows.items():
        ratios = [row.turns, row.tokens, *([row.thinking] if thinking else []), row.tokens_both_solved]
        cost = DASH if row.tokens_per_solved is None else f"{row.tokens_per_solved:,.0f}"
        cells.append((Cell(printable(name)), *map(_ratio, ratios), Cell(cost), _ratio(row.per_solved)))
    dense = next((row.dense_tokens_per_solved for row in rows.values()), None)
    spent = "" if dense is None else f" {result.dense} spends {dense:,.0f} tokens on a solved episode."
    note = (
        f"How many times {result.dense}'s, as totals over the same episodes. Tokens per solved: all generated tokens "
        f"over the episodes solved, failed attempts included.{spent} Without an interval where fewer than 20 tasks "
        "differ."
    )
    where = "" if len(result.envs) == 1 else ", all environments" if label == POOLED else f", {short_env(label)}"
    return Grid(printable(f"Tokens and turns{where}"), tuple(heads), tuple(cells), note=printable(note))


def _ratio(found: Ratio | None) -> Cell:
    if found is None:
        return Cell(DASH)
    ends = found.interval
    if ends is None:
        return Cell(f"{found.value:.2f}")
    tone: Tone = "loss" if ends.low > 1 else "gain" if ends.high < 1 else ""
    return Cell(f"{found.value:.2f} ({ends.low:.2f} to {ends.high:.2f})", tone)


def degenerate_grids(result: ComparisonResult, always: bool = False) -> list[Grid]:
    """Lay out degenerate replies by agent; nothing if there is none, unless ``always``."""
    rows = [(agent, row) for agent in result.agents if (row := (agent.degenerate or {}).get(POOLED)) is not None]
    if not rows or not (always or any(row.episodes for _, row in rows)):
        return []
    touched = ("episodes with\nsuch replies", "of these\nnot solved", "the first of each")
    heads = ("agent", "replies", *_WORDS.values(), *touched)
    cells = [(Cell(printable(agent.name)), Cell(f"{row.replies:,}"),
              *(Cell(_share(row.counts.get(kind, 0), row.replies)) for kind in KINDS),
              Cell(f"{row.episodes:,}"), Cell(f"{row.unsolved:,}"), Cell(_places(row)))
             for agent, row in rows]  # fmt: skip
    note = (
        "Loops: ends in a loop, or says mostly what it said before. Runaway: cut off by the token limit without a "
        "loop. Silent: empty. Narrated: names a tool and calls none. One class a reply, in this order."
    )
    return [Grid("Degenerate replies", heads, tuple(cells), fold=7, note=note)]


def _share(count: int, replies: int) -> str:
    return "0" if not count else f"{count:,} ({100 * count / replies:.1f} %)"


def _places(row: Degenerate) -> str:
    firsts = {kind: places[0] for kind, places in row.places.items() if places}
    said = [f"{_WORDS[kind]}: {short_env(at.env)} seed {at.seed} turn {at.turn + 1}" for kind, at in firsts.items()]
    return "\n".join(map(printable, said)) or DASH
