"""Shows things on a terminal: a comparison's tables, the list of environments, a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from acgym.record.episode import Episode
from acgym.report.grids import Grid, grids, legend
from acgym.report.verdict import verdict
from acgym.text import printable
from acgym.types import Json

WIDE = 170
"""Columns of the output where there is no terminal."""
_TONES = {"": "", "loss": "bold red", "gain": "bold green"}


def show_comparison(result: Mapping[str, Json], console: Console) -> None:
    """Print the tables of a comparison, then what they come to; tables wider than the console are cut in two."""
    show_grids(grids(result), console)
    for line in legend(result):
        console.print(Text(line, style="dim"))
    for line in verdict(result):
        console.print()
        console.print(Text(line))


def show_grids(tables: Sequence[Grid], console: Console) -> None:
    """Print tables with their notes; those wider than the console are cut in two where they may be."""
    for grid in tables:
        for table in _fitting(grid, console):
            console.print(table)
        if grid.note:
            console.print(Text(grid.note, style="dim"))
        console.print()


def _fitting(grid: Grid, console: Console) -> Iterator[RenderableType]:
    everything = range(1, len(grid.heads))
    whole = _table(grid, everything, console)
    wanted = console.measure(whole, options=console.options.update(width=10_000)).maximum
    if grid.fold is None or wanted <= console.width:
        yield whole
        return
    yield _table(grid, range(1, grid.fold), console)
    yield _table(grid, range(grid.fold, len(grid.heads)), console, titled=False)


def _table(grid: Grid, columns: range, console: Console, titled: bool = True) -> Table:
    """Make a table of the agents' names and some columns; long names are folded, never cut."""
    table = _bare(Text(grid.title) if titled else None)
    table.add_column(grid.heads[0], overflow="fold", max_width=max(24, console.width // 4))
    for column in columns:
        table.add_column(Text(grid.heads[column]), justify="right", min_width=_widest_cell(grid, column))
    for row in grid.rows:
        cells = [row[0], *(row[column] for column in columns)]
        table.add_row(*(Text(cell.text, style=_TONES[cell.tone]) for cell in cells))
    return table


def _bare(title: Text | str | None) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0)
    )


def _widest_cell(grid: Grid, column: int) -> int:
    return max((len(line) for row in grid.rows for line in row[column].text.split("\n")), default=1)


def show_environments(ids: Sequence[str], console: Console) -> None:
    """List environments with capability, and what a random policy and a simple heuristic solve."""
    import gymnasium as gym

    from acgym.suites import capability_of, environment_class

    table = _bare("Environments")
    for head in ("id", "capability", "steps at most", "random policy solves, %, levels 1 to 5", "simple heuristic"):
        table.add_column(head)
    for env_id in ids:
        maker = environment_class(env_id)
        scores = [
            "  ".join(f"{100 * anchor.success:.1f}" for _, anchor in sorted(getattr(maker, name, {}).items()))
            for name in ("anchors", "heuristic_anchors")
        ]
        limit = str(gym.spec(env_id).max_episode_steps or "-")
        scores[0] = scores[0] or "rows of a file, given by path="
        table.add_row(env_id, capability_of(env_id) or "-", limit, *scores)
    console.print(table)
    console.print("Python: gymnasium.make(ID, level=1).  Try: acgym play oracle ACB/Needle-v0 --episodes 1 --show")


def show_conversation(episode: Episode, console: Console) -> None:
    """Print an episode's messages; control characters and markup in them do nothing."""
    solved = {True: "solved", False: "not solved", None: "failed"}[episode.success]
    shown = Text().append(f"\n{episode.env} seed {episode.seed}: {printable(episode.agent)}, {solved}\n", style="bold")
    for turn in episode.turns:
        shown.append(f"[{turn.role}] {printable(turn.observation)}\n", style="cyan")
        shown.append(f"[agent] {printable(turn.text)}\n")
    shown.append(f"[end] {printable(episode.final_observation)}\n", style="cyan")
    if episode.failure is not None:
        shown.append(f"[failure] {printable(episode.failure)}\n", style="red")
    console.print(shown)
