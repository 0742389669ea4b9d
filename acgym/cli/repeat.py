"""The command ``acgym repeat``: every episode several times by sampling, pass@k and pass^k."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from acgym.cli.options import (
    Calibration,
    Decoding,
    Envs,
    EpisodeSeconds,
    Import,
    Kwargs,
    Level,
    Suite,
    ToolFormat,
    decoding_object,
    json_object,
)
from acgym.cli.terminal import find_modules, output, plain_errors, say

TEMPERATURE = 0.7


def repeat(
    agents: Annotated[
        list[str], typer.Argument(help="The dense agent first, then the others, as in 'acgym compare'; models alone.")
    ],
    samples: Annotated[int, typer.Option(help="How often each agent plays each episode.")] = 8,
    temperature: Annotated[
        float | None, typer.Option(help=f"Of sampling, above 0. Default: that of --decoding, or {TEMPERATURE}.")
    ] = None,
    env: Envs = None,
    suite: Suite = None,
    episodes: Annotated[int, typer.Option(help="Episodes per environment.")] = 50,
    seed: Annotated[int, typer.Option(help="Chooses the evaluation episodes; the same for all agents.")] = 0,
    level: Level = None,
    kwargs: Kwargs = "{}",
    calibration: Calibration = None,
    tool_format: ToolFormat = None,
    decoding: Decoding = "{}",
    episode_seconds: EpisodeSeconds = None,
    imports: Import = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the runs. Default: runs/ and a name made from the settings.")
    ] = None,
) -> None:
    """Sample every episode several times: pass@k and pass^k, before and after compression.

    pass@k is the chance that at least one of k tries solves an episode, pass^k that all of them do: what is lost when
    an agent must be reliable. Each sample has a sampling seed of its own and is an ordinary run in the folder. Run
    again, the same command goes on where it stopped; with more --samples it adds them.
    """
    with plain_errors():
        from acgym.analysis.repeats_result import REPEATS
        from acgym.experiment.progress import watching
        from acgym.experiment.repeats import check_repeats, run_repeats
        from acgym.experiment.settings import prepare
        from acgym.report.repeat_grids import repeat_grids
        from acgym.report.rich_tables import show_grids

        find_modules([*(env or []), suite or ""], imports or [])
        settings = prepare(
            agents,
            env or [],
            suite=suite,
            episodes=episodes,
            seed=seed,
            level=level,
            kwargs=json_object(kwargs),
            calibration=calibration,
            tool_format=tool_format,
            decoding=with_temperature(decoding_object(decoding), temperature),
            episode_seconds=episode_seconds,
            imports=imports or [],
        )
        check_repeats(settings, samples)
        folder = out or settings.default_folder.with_name(settings.default_folder.name.replace("compare", "repeat"))
        with watching(samples * settings.total) as listener:
            result = run_repeats(settings, folder, samples, listener)
        console = output()
        show_grids(repeat_grids(result), console)
        say(f"The runs are in {folder}, these numbers in {folder / REPEATS}.", console)


def with_temperature(decoding: dict[str, Any], temperature: float | None) -> dict[str, Any]:
    """Put the temperature of an option, or the default, into decoding options.

    Raises:
        ValueError: if both say one, and not the same.
    """
    said = decoding.get("temperature", temperature)
    if temperature is not None and said != temperature:
        raise ValueError(f"the temperature is given twice: {temperature:g} and {said:g}; keep one")
    return {**decoding, "temperature": TEMPERATURE if said is None else said}
