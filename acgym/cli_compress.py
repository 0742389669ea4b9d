"""The command that writes compressed checkpoints: compress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

Progress: TypeAlias = Callable[[int, int, str], None]

FORMAT_HELP = (
    "gptq (AutoGPTQ's layout: 2, 3, 4, 8 bits), awq (AutoAWQ's GEMM layout: 4 bits), compressed-tensors (2 to 8 bits, "
    "W8A8, FP8), or dense (plain 16-bit weights, for pruned models). transformers and vLLM load all of them."
)


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
            help="For a folder larger than memory: one decoder layer at a time, into the dense format, calibrated on "
            "a text or chats. A command that was killed goes on where it was. Nothing is read back and compared."
        ),
    ] = False,
) -> None:
    """Compress a model and write it as a checkpoint that other software loads.

    The checkpoint is read back and compared with the model in memory, weight by weight and by its outputs; only then
    does OUT get its name. Measure it with 'acgym compare MODEL hf:OUT'.
    """
    from acgym.cli import _complain, _plain_errors, _say

    console = Console(stderr=True)
    if stream:
        with _plain_errors():
            _stream(model, recipe, out, format, calibration, console)
        return
    with _plain_errors():
        from acgym.assemble_export import prepare_export, run_export

        job = prepare_export(model, recipe, out, format, calibration)
        from acgym.compress.formats.verify import ExportDiffers

        try:
            with _bar(console) as progress:
                sheet = run_export(job, lambda line: _say(line, console), progress)
        except ExportDiffers as error:
            _complain(error)
            raise typer.Exit(1) from None
        record, checkpoint = sheet["compression"], sheet["checkpoint"]
        bits = checkpoint.get("bits_per_weight") or record["bits_per_weight"]
        _say(
            f"{out} holds {job.spec.base.text} by {job.spec.recipe} in the {format} format: {bits:.2f} bits per "
            f"weight, {checkpoint['bytes_on_disk'] / 1e6:.2f} MB on disk, {record['sparsity']:.1%} zeros; its logits "
            f"differ from those of the model in memory by {sheet['logit_error']:.2%}.",
            Console(),
        )


def _stream(model: str, recipe: str, out: Path, format: str, calibration: str | None, console: Console) -> None:
    """Compress a folder layer by layer."""
    from acgym.assemble_stream import run_stream
    from acgym.cli import _say

    if format != "dense":
        raise ValueError(f"--stream writes plain weights (--format dense), got --format {format}")
    with _bar(console) as progress:
        record = run_stream(model, recipe, out, calibration, progress)
    _say(
        f"{out} holds {model} by {record.recipe} as plain weights: {record.bits_per_weight:.2f} bits per weight in "
        f"packed storage, {record.sparsity:.1%} zeros; {record.seconds:.0f} s in its layers.",
        Console(),
    )


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    """Show a bar over the decoder layers on a terminal, nothing elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from acgym.table import printable

    if not console.is_terminal:
        yield lambda done, total, label: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        task = bars.add_task("layers", total=None)
        yield lambda done, total, label: bars.update(task, completed=done, total=total, description=printable(label))
