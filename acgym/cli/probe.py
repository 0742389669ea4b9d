"""The command ``acgym probe``: look into the models of a finished run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from acgym.cli.options import Import
from acgym.cli.terminal import import_modules, output, plain_errors, say


def probe(
    run: Annotated[Path, typer.Argument(help="Folder of a run, as 'acgym compare' made it.")],
    agent: Annotated[
        list[str] | None, typer.Argument(help="Agents as the run names them: reference+rtn-w2-g128. Default: all.")
    ] = None,
    own: Annotated[
        bool,
        typer.Option(
            "--own",
            help="Along each agent's own episodes. Default: on the tokens of the first agent, compared with its model.",
        ),
    ] = False,
    told: Annotated[
        bool, typer.Option("--told", help="The tokens that the agent was told, not those that it generated.")
    ] = False,
    layers: Annotated[
        str | None,
        typer.Option(
            help="Effective rank behind these decoder layers too: all, final (none of them), or numbers such as "
            "1,6,12. Default: all of a narrow model, eight of a wide one."
        ),
    ] = None,
    temperature: Annotated[float, typer.Option(help="Temperature of the energy.")] = 1.0,
    imports: Import = None,
) -> None:
    """Measure what the models of a run show inside: effective rank, energy, NLL, margin, agreement with the dense one.

    Each model reads recorded tokens once; nothing is played. The numbers and the values of every token go into the
    agents' folders (signals-own.json and .safetensors), those of --own into the report too; what 'acgym compare'
    measured stays. Run again, the same command goes on where it stopped.
    """
    with plain_errors():
        from acgym.analysis.probe_result import ProbeOptions
        from acgym.experiment.progress import watching
        from acgym.experiment.reprobe import probe_run
        from acgym.experiment.rescore import rescore
        from acgym.record.run import Run
        from acgym.report.probe_grids import probe_grids, probe_notes
        from acgym.report.rich_tables import show_grids

        options = ProbeOptions(own, told, layers_of(layers), temperature)
        made = Run.read(run)
        import_modules(imports or [], made)
        with watching(0) as listener:
            result = probe_run(made, agent or [], options, listener)
        if own and not told:
            rescore(run)  # its report shows them
        console = output()
        show_grids(probe_grids(result), console)
        for line in [*probe_notes(result), f"These numbers are in {run}, {options.name}.json of each agent."]:
            say(line, console)


def layers_of(text: str | None) -> Literal["final", "all"] | tuple[int, ...] | None:
    """Read the --layers option.

    Raises:
        ValueError: if it is neither a word nor numbers from 1.
    """
    if text is None:
        return None
    if text in ("all", "final"):
        return "all" if text == "all" else "final"
    numbers = tuple(int(word) for word in text.split(",") if word.strip().isdecimal())
    if len(numbers) != len(text.split(",")) or 0 in numbers:
        raise ValueError(f"--layers must be all, final, or numbers from 1 such as 1,6,12, got {text!r}")
    return numbers
