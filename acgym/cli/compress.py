"""The command that writes compressed checkpoints: compress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from acgym.cli.options import Import
from acgym.cli.terminal import complain, import_modules, plain_errors, say
from acgym.listener import Progress
from acgym.types import Json

FORMAT_HELP = (
    "gptq (AutoGPTQ's layout: 2, 3, 4, 8 bits), awq (AutoAWQ's GEMM layout: 4 bits), compressed-tensors (2 to 8 bits, "
    "W8A8, FP8), or dense (plain 16-bit weights, for pruned models). transformers and vLLM load all of them."
)
Override = Annotated[
    list[str] | None,
    typer.Option(
        help="Another recipe for some projections, as PATTERN=RECIPE: '*.0.*=rtn-w8', or 'lm_head=rtn-w8-channel' "
        "for the head, which is left as it is otherwise. Repeatable; the first that matches counts. For dense."
    ),
]


def compress(
    model: Annotated[str, typer.Argument(help="reference, a model folder, or a hub id such as owner/name.")],
    recipe: Annotated[
        str, typer.Argument(help="How to compress: gptq-w4-g128, awq-w4, smoothquant-w8a8, wanda-2:4, ...")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint; it must not exist yet.")],
    format: Annotated[str, typer.Option(help=FORMAT_HELP)] = "dense",
    calibration: Annotated[
        str | None,
        typer.Option(
            help="What to calibrate on: a text file, chats:FILE.jsonl, or a mixture, as in 'acgym compare'. Default: "
            "the model's own training-split episodes."
        ),
    ] = None,
    stream: Annotated[
        bool,
        typer.Option(
            help="For a folder larger than memory: one decoder layer at a time, in any format, calibrated on a text or "
            "chats. A command that was killed goes on where it was. Every layer is read back and compared; outputs are "
            "not."
        ),
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="Pattern of projections to leave as they are, such as '*.shared_expert_gate'. Repeatable."),
    ] = None,
    override: Override = None,
    backend: Annotated[
        str,
        typer.Option(
            help="Whose method: acgym, or autoawq for awq-w4-gN into --format awq by AutoAWQ (acgym[autoawq])."
        ),
    ] = "acgym",
    imports: Import = None,
) -> None:
    """Compress a model and write it as a checkpoint that other software loads.

    The checkpoint is read back and compared with the model in memory, weight by weight and by its outputs; only then
    does OUT get its name. Measure it with 'acgym compare MODEL hf:OUT'.
    """
    console = Console(stderr=True)
    with plain_errors():
        from acgym.checkpoint.export import prepare_export, run_export
        from acgym.checkpoint.stream import run_stream

        import_modules(imports or [])
        if stream and backend != "acgym":
            raise ValueError(f"{backend} holds the whole model in memory; drop --stream, or --backend {backend}")
        patterns = ignore or []
        instead = _overrides(override or [])
        if stream:
            with _working(console) as progress:
                sheet = run_stream(model, recipe, out, format, calibration, progress, patterns, instead)
        else:
            job = prepare_export(model, recipe, out, format, calibration, patterns, backend, instead)
            with _working(console) as progress:
                sheet = run_export(job, lambda line: say(line, console), progress)
        say(_summary(out, sheet), Console())


def _overrides(given: list[str]) -> dict[str, str]:
    """Read patterns and their recipes."""
    read: dict[str, str] = {}
    for text in given:
        pattern, _, recipe = text.partition("=")
        if not pattern or not recipe:
            raise ValueError(f"--override takes PATTERN=RECIPE, such as '*.0.*=rtn-w8', got {text!r}")
        if pattern in read:
            raise ValueError(f"--override names {pattern!r} twice; leave one out")
        read[pattern] = recipe
    return read


def _summary(out: Path, sheet: dict[str, Json]) -> str:
    """Say in a sentence what was written."""
    record, checkpoint, error = sheet["compression"], sheet["checkpoint"], sheet["logit_error"]
    bits = checkpoint.get("bits_per_weight") or record["bits_per_weight"]
    said = (
        f"{out} holds {sheet['source']} by {record['recipe']} in the {sheet['format']} format: {bits:.2f} bits per "
        f"weight, {checkpoint['bytes_on_disk'] / 1e6:.2f} MB on disk, {record['sparsity']:.1%} zeros; "
    )
    if error is None:
        return f"{said}every layer was read back and compared, in {record['seconds']:.0f} s."
    return f"{said}its logits differ from those of the model in memory by {error:.2%}."


@contextmanager
def _working(console: Console) -> Iterator[Progress]:
    """Show a bar, and end with status 1 if what was written is not what was in memory."""
    from acgym.compress.formats.verify import ExportDiffers

    try:
        with _bar(console) as progress:
            yield progress
    except ExportDiffers as error:
        complain(error)
        raise typer.Exit(1) from None


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    """Show a bar over the decoder layers on a terminal, nothing elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from acgym.text import printable

    if not console.is_terminal:
        yield lambda done, total, label: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        task = bars.add_task("layers", total=None)
        yield lambda done, total, label: bars.update(task, completed=done, total=total, description=printable(label))
