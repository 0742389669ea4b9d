"""The commands that play: compare, play."""

from __future__ import annotations

from functools import partial
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
    from acgym.compare.settings import Settings
    from acgym.compare.vary import Varied


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
    out: Out = None,
) -> None:
    """Play the same episodes with a dense agent and with compressed ones, and show what was lost.

    Without arguments: the reference agent against eight compressed forms of it, on the suite quick: an environment of
    each of the four capabilities. Run again, the same command goes on where it stopped.
    """
    with plain_errors():
        from acgym.analysis.equivalence import check_margin
        from acgym.compare.settings import prepare
        from acgym.compare.vary import prepare_varied

        check_margin(margin)
        find_modules([*(env or []), suite or ""], imports or [])
        make = partial(
            prepare,
            agents or [],
            env or [],
            suite=suite,
            episodes=episodes,
            seed=seed,
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
        given = json_object(kwargs)
        if vary is None:
            _run(make(level=level, kwargs=given), out, workers=workers, ray=ray, margin=margin)
            return
        if ray is not None or (workers or 1) > 1:
            raise ValueError("with --vary one process plays all values; leave --workers and --ray out")
        varied = prepare_varied(vary, lambda dose, more: make(level=dose, kwargs=more), given, level)
        _run_varied(varied, out, margin)


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
        from acgym.compare.settings import prepare

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
    settings: Settings,
    out: Path | None,
    show: bool = False,
    workers: int | None = 1,
    ray: str | None = None,
    margin: float | None = None,
) -> None:
    """Run a comparison under the eyes of the user, then show and write its tables."""
    from acgym.cli.progress import watching
    from acgym.cli.show import show_comparison, show_conversation
    from acgym.compare.run import default_workers, run_comparison
    from acgym.record.run import Run
    from acgym.report.page import write_report

    folder = out or settings.default_folder
    with watching(settings.total) as listener:
        count = workers or default_workers(settings)
        result = run_comparison(settings, folder, listener=listener, workers=count, ray=ray, margin=margin)
    write_report(result, folder / "report.html", Run.read(folder))
    console = output()
    if show:
        for episode in Run.read(folder).episodes(settings.agents[0]):
            show_conversation(episode, console)
    show_comparison(result, console)
    say(f"\nThe run is in {folder} (report.html shows these tables, figures and the episodes).", console)


def _run_varied(varied: Varied, out: Path | None, margin: float | None) -> None:
    """Run a comparison at several values, then show the curves."""
    from acgym.cli.progress import watching
    from acgym.cli.show import show_grids
    from acgym.compare.vary import run_varied
    from acgym.report.curve import NOTE, curve_grids, curve_sentences

    folder = out or varied.default_folder
    with watching(varied.total) as listener:
        found = run_varied(varied, folder, listener, margin)
    console = output()
    show_grids(curve_grids(found), console)
    say(NOTE, console, style="dim")
    for line in curve_sentences(found):
        say(f"\n{line}", console)
    say(
        f"\nThe runs are in {folder}, one for each value; curve.html shows the figure, curve.json holds the numbers.",
        console,
    )
