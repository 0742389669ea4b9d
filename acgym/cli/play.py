"""The commands that play: compare, play."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acgym.cli.options import (
    AGENTS_HELP,
    ENV_HELP,
    Calibration,
    Decoding,
    Envs,
    EpisodeSeconds,
    Import,
    Kwargs,
    Level,
    MalformedLimit,
    NoiseFloor,
    Out,
    Ray,
    Seed,
    Shots,
    Suite,
    ToolFormat,
    Until,
    Workers,
    decoding_object,
    json_object,
)
from acgym.cli.terminal import find_modules, output, plain_errors, say

if TYPE_CHECKING:
    from acgym.experiment.settings import Settings


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
    out: Out = None,
) -> None:
    """Play the same episodes with a dense agent and with compressed ones, and show what was lost.

    Without arguments: the reference agent against eight compressed forms of it, on the suite quick: an environment of
    each of the four capabilities. Run again, the same command goes on where it stopped.
    """
    with plain_errors():
        from acgym.experiment.settings import prepare

        find_modules([*(env or []), suite or ""], imports or [])
        settings = prepare(
            agents or [],
            env or [],
            suite=suite,
            episodes=episodes,
            seed=seed,
            level=level,
            kwargs=json_object(kwargs),
            calibration=calibration,
            tool_format=tool_format,
            decoding=decoding_object(decoding),
            imports=imports or [],
            until=until,
            noise_floor=noise_floor,
            episode_seconds=episode_seconds,
            shots=shots,
            malformed_limit=malformed_limit,
        )
        _run(settings, out, workers=workers, ray=ray)


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
        from acgym.experiment.settings import prepare

        find_modules([env], imports or [])
        settings = prepare(
            [agent],
            [env],
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
        )
        _run(settings, out, show, workers, ray)


def _run(
    settings: Settings, out: Path | None, show: bool = False, workers: int | None = 1, ray: str | None = None
) -> None:
    """Run a comparison under the eyes of the user, then show and write its tables."""
    from acgym.cli.progress import watching
    from acgym.cli.show import show_comparison, show_conversation
    from acgym.experiment.run import default_workers, run_comparison
    from acgym.record.run import Run
    from acgym.report.page import write_report

    folder = out or settings.default_folder
    with watching(settings.total) as listener:
        count = workers or default_workers(settings)
        result = run_comparison(settings, folder, listener=listener, workers=count, ray=ray)
    write_report(result, folder / "report.html", Run.read(folder))
    console = output()
    if show:
        for episode in Run.read(folder).episodes(settings.agents[0]):
            show_conversation(episode, console)
    show_comparison(result, console)
    say(f"\nThe run is in {folder} (report.html shows these tables, figures and the episodes).", console)
