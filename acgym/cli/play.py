"""The commands that play: compare, play."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acgym.cli.options import (
    AGENTS_HELP,
    ENV_HELP,
    Add,
    Calibration,
    Decoding,
    Envs,
    EpisodeSeconds,
    Import,
    Kwargs,
    Level,
    MalformedLimit,
    Margin,
    NoiseFloor,
    Out,
    Ray,
    Seed,
    Shots,
    Suite,
    ToolFormat,
    Until,
    Vary,
    Workers,
    decoding_object,
    json_object,
)
from acgym.cli.terminal import find_modules, output, plain_errors, say

if TYPE_CHECKING:
    from acgym.results.comparison import ComparisonResult


def compare(
    agents: Annotated[
        list[str] | None, typer.Argument(help=f"The dense agent first, then the others: {AGENTS_HELP}")
    ] = None,
    env: Envs = None,
    suite: Suite = None,
    episodes: Annotated[
        int | None, typer.Option(help="Episodes per environment and agent. Default: 100; with --until, at most 5,000.")
    ] = None,
    until: Until = None,
    margin: Margin = None,
    vary: Vary = None,
    noise_floor: NoiseFloor = False,
    workers: Workers = None,
    ray: Ray = None,
    episode_seconds: EpisodeSeconds = None,
    seed: Seed = 0,
    level: Level = None,
    kwargs: Kwargs = "{}",
    calibration: Calibration = None,
    tool_format: ToolFormat = None,
    decoding: Decoding = "{}",
    shots: Shots = 0,
    malformed_limit: MalformedLimit = None,
    imports: Import = None,
    add: Add = None,
    out: Out = None,
) -> None:
    """Play the same episodes with a dense agent and with compressed ones, and show what was lost.

    Without arguments: the reference agent against eight compressed forms of it, on the suite quick: an environment of
    each of the four capabilities. Run again, the same command goes on where it stopped. With --add RUN, the agents
    named join that run: what it has played, probed and calibrated is kept.
    """
    with plain_errors():
        from acgym.experiment.compare import NAMED
        from acgym.experiment.compare import compare as run_compare

        find_modules([*(env or []), suite or ""], imports or [])
        asked: dict[str, Any] = {
            "suite": suite, "episodes": episodes, "seed": seed, "level": level, "kwargs": json_object(kwargs),
            "calibration": calibration, "tool_format": tool_format, "decoding": decoding_object(decoding),
            "imports": imports or [], "until": until, "noise_floor": noise_floor, "episode_seconds": episode_seconds,
            "shots": shots, "malformed_limit": malformed_limit, "margin": margin,
        }  # fmt: skip
        if vary is not None:
            if ray is not None or (workers or 1) > 1 or add is not None:
                raise ValueError("with --vary one process plays all values; leave --workers, --ray and --add out")
            _vary(vary, agents or [], env or [], out, asked)
            return
        where = out or (NAMED if add is None else None)
        result = run_compare(agents or None, env or None, out=where, add=add, workers=workers, ray=ray, **asked)
        _show(result)


def play(
    agent: Annotated[str, typer.Argument(help=AGENTS_HELP)],
    env: Annotated[str, typer.Argument(help=ENV_HELP)],
    episodes: Annotated[int, typer.Option(help="Number of episodes.")] = 10,
    workers: Workers = 1,
    ray: Ray = None,
    episode_seconds: EpisodeSeconds = None,
    seed: Seed = 0,
    level: Level = None,
    kwargs: Kwargs = "{}",
    calibration: Calibration = None,
    tool_format: ToolFormat = None,
    decoding: Decoding = "{}",
    shots: Shots = 0,
    malformed_limit: MalformedLimit = None,
    imports: Import = None,
    out: Out = None,
    show: Annotated[bool, typer.Option(help="Print every message.")] = False,
) -> None:
    """Let one agent play one environment and show its score."""
    with plain_errors():
        from acgym.experiment.compare import NAMED
        from acgym.experiment.compare import compare as run_compare

        find_modules([env], imports or [])
        result = run_compare(
            agent,
            env,
            out=out or NAMED,
            episodes=episodes,
            seed=seed,
            level=level,
            kwargs=json_object(kwargs),
            calibration=calibration,
            tool_format=tool_format,
            decoding=decoding_object(decoding),
            imports=imports or [],
            episode_seconds=episode_seconds,
            shots=shots,
            malformed_limit=malformed_limit,
            workers=workers,
            ray=ray,
        )
        _show(result, show)


def _show(result: ComparisonResult, conversations: bool = False) -> None:
    """Write the report, show the tables, and say where all is."""
    from acgym.cli.show import show_comparison, show_conversation

    result.report()
    console = output()
    if conversations:
        for episode in result.run.episodes(result.dense):
            show_conversation(episode, console)
    show_comparison(result.numbers, console)
    say(f"\nThe run is in {result.folder} (report.html shows these tables, figures and the episodes).", console)


def _vary(vary: str, agents: list[str], envs: list[str], out: Path | None, asked: dict[str, Any]) -> None:
    """Compare at several values, then show the curves."""
    from acgym.experiment.vary import compare_varied
    from acgym.report.curve import NOTE, curve_grids, curve_sentences
    from acgym.report.rich_tables import show_grids

    folder, found = compare_varied(vary, agents, envs, out=out, **asked)
    console = output()
    show_grids(curve_grids(found), console)
    say(NOTE, console, style="dim")
    for line in curve_sentences(found):
        say(f"\n{line}", console)
    say(
        f"\nThe runs are in {folder}, one for each value; curve.html shows the figure, curve.json the numbers.", console
    )
