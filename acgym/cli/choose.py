"""The command that chooses a compression: choose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acgym.cli.options import (
    Calibration,
    Decoding,
    Envs,
    Import,
    Kwargs,
    Level,
    Out,
    Seed,
    Shots,
    Suite,
    ToolFormat,
    decoding_object,
    json_object,
)
from acgym.cli.terminal import find_modules, output, plain_errors, say


def choose(
    model: Annotated[str, typer.Argument(help="The dense model: reference, hf:PATH-OR-ID, a folder.")],
    margin: Annotated[float, typer.Option(help="Loss of success that no environment may have: 0.02 is two points.")],
    max_bits: Annotated[float | None, typer.Option(help="Most bits per weight of a recipe that may race.")] = None,
    among: Annotated[
        str, typer.Option(help="Recipes with commas between: gptq-w3,gptq-w4,rtn-w8. Default: six from 2 to 8 bits.")
    ] = "",
    env: Envs = None,
    suite: Suite = None,
    episodes: Annotated[
        int | None, typer.Option(help="Most episodes of each recipe in each environment. Default: 1,000.")
    ] = None,
    seed: Seed = 0,
    level: Level = None,
    kwargs: Kwargs = "{}",
    calibration: Calibration = None,
    tool_format: ToolFormat = None,
    decoding: Decoding = "{}",
    shots: Shots = 0,
    imports: Import = None,
    out: Out = None,
) -> None:
    """Find the smallest recipe that is not worse than a margin in any environment of a suite.

    Recipes race from the smallest up. Each plays until it is shown to be not worse than the margin everywhere (it is
    chosen, and the larger ones need not play), or to be worse somewhere (it is dropped). Looking on the way costs no
    certainty. Run again, the same command goes on where it stopped.
    """
    with plain_errors():
        from acgym.experiment.choose import default_folder, prepare_choice, run_choice
        from acgym.experiment.progress import watching
        from acgym.report.race import race_grid, race_sentences
        from acgym.report.rich_tables import show_grids

        find_modules([*(env or []), suite or ""], imports or [])
        recipes = [one.strip() for one in among.split(",") if one.strip()]
        settings = prepare_choice(
            model, margin, env or [], among=recipes, max_bits=max_bits, episodes=episodes, suite=suite, seed=seed,
            level=level, kwargs=json_object(kwargs), calibration=calibration, tool_format=tool_format,
            decoding=decoding_object(decoding), shots=shots, imports=imports or [],
        )  # fmt: skip
        folder = out or default_folder(settings)
        with watching(settings.total) as listener:
            found = run_choice(settings, margin, Path(folder), listener)
        console = output()
        show_grids([race_grid(found)], console)
        for line in race_sentences(found):
            say(line, console)
        say(f"\nThe run is in {folder} (report.html shows the race and what was played).", console)
