"""The commands that look at recorded episodes again: replay, rescore, handoff."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acgym.cli.options import Import, Margin
from acgym.cli.terminal import find_modules, import_modules, output, plain_errors, say

if TYPE_CHECKING:
    from acgym.record.episode import Episode

SHOWN = 20
"""Mismatches that are printed; the rest is counted."""

RunFolder = Annotated[Path, typer.Argument(help="Folder of a run, as 'acgym compare' made it.")]


def replay(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a file of episodes (episodes.jsonl).")],
    agent: Annotated[list[str] | None, typer.Option(help="Only this agent's episodes. Repeat for several.")] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this environment's episodes. Repeat for several. 'module:ID' imports the module first; "
            "environments of your own need it."
        ),
    ] = None,
    imports: Import = None,
) -> None:
    """Drive recorded episodes through their environments again, and prove that nothing has changed.

    Every recorded action is handed to a fresh environment with the recorded seed. Observations, rewards, errors and
    outcomes must be equal to the last bit; those that are not are listed, and the exit status is then 1. No model is
    loaded.
    """
    with plain_errors():
        from acgym.experiment.environments import known_environment
        from acgym.record.replay import replay as run_replay

        find_modules(env or [])
        import_modules(imports or [])
        wanted = {known_environment(one, {})[0] for one in env or []}
        episodes = [episode for episode in _episodes(run, agent or []) if not wanted or episode.env in wanted]
        if not episodes:
            raise ValueError(
                f"{run} holds no episodes of {', '.join([*(agent or []), *sorted(wanted)]) or 'any agent'}"
            )
        report = run_replay(episodes)
        console = output()
        for mismatch in report.mismatches[:SHOWN]:
            say(str(mismatch), console)
        if report.mismatches[SHOWN:]:
            say(f"... and {len(report.mismatches) - SHOWN} more", console)
        equal = report.episodes - len(report.mismatches)
        say(f"{equal:,} of {report.episodes:,} episodes ({report.turns:,} turns) replayed bit-equal.", console)
    if report.mismatches:
        raise typer.Exit(1)


def rescore(
    run: RunFolder,
    scorer: Annotated[
        str | None,
        typer.Option(
            help="module:function that judges each episode anew: it is given an acgym.record.episode.Episode and "
            "returns True or False, or a number from 0 to 1. "
            "Writes comparison-NAME.json and report-NAME.html beside the old ones."
        ),
    ] = None,
    margin: Margin = None,
) -> None:
    """Compute a run's scores, comparison and report again from its episodes and signals, without any model."""
    with plain_errors():
        from acgym.cli.show import show_comparison
        from acgym.experiment.rescore import load_scorer
        from acgym.experiment.rescore import rescore as run_rescore

        if scorer is not None and "" not in sys.path:
            sys.path.append("")  # a module in the current folder, as 'python -m' would find it
        result = run_rescore(run, None if scorer is None else load_scorer(scorer), scorer, margin)
        console = output()
        show_comparison(result, console)
        say(f"\nScored again from the episodes in {run}.", console)


def handoff(
    run: RunFolder,
    agent: Annotated[str, typer.Argument(help="The compressed agent, as the run names it: reference+rtn-w2-g128.")],
    lost: Annotated[int, typer.Option(help="Lost episodes to look at in each environment.")] = 20,
    kept: Annotated[int, typer.Option(help="Episodes to look at that both solved by different actions.")] = 5,
    imports: Import = None,
) -> None:
    """Find the turn that lost each episode: let one agent play the first turns and the other one the rest.

    The first turns are replayed exactly as recorded. If the dense agent can still solve the task after k turns of the
    compressed one, but not after k + 1, that turn was the fatal one. Run again, the same command goes on where it
    stopped; the results go into the run's comparison.json and report.
    """
    with plain_errors():
        from acgym.analysis.handoff import Limits
        from acgym.assemble.models import RunModels
        from acgym.experiment.handoff import count_handoffs, play_handoffs
        from acgym.experiment.progress import watching
        from acgym.experiment.rescore import rescore as run_rescore
        from acgym.record.run import Run
        from acgym.report.verdict import attribution

        if min(lost, kept) < 0:
            raise ValueError(f"--lost and --kept must be 0 or larger, got {lost} and {kept}")
        made, limits = Run.read(run), Limits(lost, kept)
        import_modules(imports or [], made)
        with watching(count_handoffs(made, agent, limits)) as listener:
            make = RunModels(made, listener).make
            play_handoffs(made, agent, make, limits, partial(listener.playing, agent, "hand-offs"))
        result = run_rescore(run)
        row = next(one for one in result.agents if one.name == agent)
        said = attribution(row.handoff, result.dense) or "no episode of this agent was lost"
        say(f"{agent}: {said}. The curves are in {run / 'comparison.json'}.", output())


def _episodes(where: Path, agents: list[str]) -> list[Episode]:
    """Read the episodes of a run or of one file, of some agents or of all."""
    from acgym.record.lines import by_agent_and_task, read_episodes
    from acgym.record.run import Run

    if where.is_file():
        read = read_episodes(where, by_agent_and_task)
        known = sorted({episode.agent for episode in read})
    else:
        run = Run.read(where)
        known = run.agents()
        read = [episode for name in known for episode in (run.episodes(name) if not agents or name in agents else [])]
    for name in agents:
        if name not in known:
            raise ValueError(f"{where} holds no agent {name!r}; it holds {', '.join(known) or 'none'}")
    return [episode for episode in read if not agents or episode.agent in agents]
