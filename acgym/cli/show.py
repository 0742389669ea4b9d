"""Shows things on a terminal: a comparison's tables, the list of environments, a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from acgym.analysis.result import ComparisonResult
from acgym.record.episode import Episode
from acgym.report.grids import grids
from acgym.report.legend import legend
from acgym.report.margin import margin_grids
from acgym.report.paper_table import paper_tables
from acgym.report.replies import degenerate_grids, inflation_grids
from acgym.report.rich_tables import bare, show_grids
from acgym.report.verdict import verdict
from acgym.text import printable


def show_comparison(result: ComparisonResult, console: Console) -> None:
    """Print the tables of a comparison, then what they come to; tables wider than the console are cut in two."""
    replies = [*inflation_grids(result), *degenerate_grids(result)]
    show_grids([*grids(result), *replies, *paper_tables(result), *margin_grids(result)], console)
    for line in legend(result):
        console.print(Text(line, style="dim"))
    for line in verdict(result):
        console.print()
        console.print(Text(line))


def show_environments(ids: Sequence[str], console: Console, with_tasks: bool = False) -> None:
    """List environments with capability, most steps of an episode, what a random policy and a simple heuristic solve.

    With tasks, instead of that, which task of ACBench's paper each plays, on official rows or as a stand-in.
    """
    import gymnasium as gym

    from acgym.suites import capability_of

    table = bare("Environments")
    policies = ("steps", "random policy solves, %, levels 1 to 5", "simple heuristic")
    for head in ("id", "capability", *(("task of the paper", "played on") if with_tasks else policies)):
        table.add_column(head, no_wrap=head == "id")
    for env_id in ids:
        limit = str(gym.spec(env_id).max_episode_steps or "-")
        more = _papers_task(env_id) if with_tasks else (limit, *_policies(env_id))
        table.add_row(env_id, capability_of(env_id) or "-", *more)
    console.print(table)
    console.print("Python: gymnasium.make(ID, level=1).  Try: acgym play oracle ACB/Needle-v0 --episodes 1 --show")


def _policies(env_id: str) -> tuple[str, str]:
    """Say what the random policy and the heuristic solve."""
    from acgym.suites import environment_class

    maker = environment_class(env_id)
    random, heuristic = (
        "  ".join(f"{100 * anchor.success:.1f}" for _, anchor in sorted(getattr(maker, name, {}).items()))
        for name in ("anchors", "heuristic_anchors")
    )
    return random or getattr(maker, "needs", ""), heuristic


def _papers_task(env_id: str) -> tuple[str, str]:
    """Say which of the paper's tasks an environment plays, and on what."""
    from acgym.acbench import tasks_of

    ways = {"official": "official rows", "native": "a stand-in"}
    tasks = {task.name: ways[how] for task, how in tasks_of(env_id) if how in ways}
    return ", ".join(tasks), ", ".join(dict.fromkeys(tasks.values()))


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
