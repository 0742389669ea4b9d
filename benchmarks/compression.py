"""acgym's compression beside other toolkits: seconds, peak memory and what is lost, on one model and calibration.

python benchmarks/compression.py [--quick] [--only gptq] [--only reference] [--calibration 32x256] [--repeat 2]
                                 [--sparsegpt FOLDER] [--wanda FOLDER] [--out compression.json]

Every run is a process of its own that loads a model, compresses it and writes the checkpoint; all get the same token
ids, as many threads as there are cores, and the settings that their documentation shows. Printed are the seconds of the
compression alone and of the whole process (imports, loading and writing included), the peak resident memory, and, for
the reference agent, the mean negative log-likelihood of what the oracle says on the evaluation split, in nats per
token, all checkpoints read by one reader in float32. Of several runs the fastest counts, since the first may compile.
Processor seconds are those of the compression on all cores: they are less disturbed by whatever else runs. The floor of
each model are two plain passes over the calibration, which all of these methods make, each in its own way. acgym is
there twice: with the model in memory and, a layer at a time, streamed; reading and writing then count as compression.

The toolkits live in environments that are built in $ACGYM_CROSS_CACHE (default ~/.cache/acgym-cross) at the first run.
FOLDER is a checkout of IST-DASLab/sparsegpt or locuslab/wanda; without it that side is left out, and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cross"))

import environments  # noqa: E402  # the programs that run the toolkits are those of the cross-checks

MODELS = ("reference", "tiny-llama", "tiny-qwen2", "small-llama", "small-qwen2")
QUICK = ("reference", "tiny-llama")
GOAL_TIME = 0.5


@dataclass(frozen=True)
class Side:
    """One toolkit doing one method."""

    method: str
    """What is compared: sides of one method stand side by side."""
    toolkit: str
    program: str
    name: str
    """The toolkit's own name of the method; a recipe for acgym."""
    options: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    models: tuple[str, ...] = MODELS


ACGYM, STREAMED = "acgym", "acgym --stream"
GPTQ, AWQ, SPARSEGPT, WANDA = "gptq w4 g128 sym", "awq w4 g128", "sparsegpt 2:4", "wanda 2:4"
FLOOR = "two plain passes"
SIDES = (
    Side(FLOOR, "transformers", "in_acgym.py", "forward"),
    Side(GPTQ, ACGYM, "in_acgym.py", "gptq-w4-g128-sym-actorder-static", {"format": "gptq"}),
    Side(GPTQ, STREAMED, "in_acgym.py", "gptq-w4-g128-sym-actorder-static", {"format": "gptq", "stream": True}),
    Side(GPTQ, "gptqmodel", "in_gptqmodel.py", "gptq", dtype="auto"),  # its loader chooses bfloat16 on a CPU
    Side(GPTQ, "llmcompressor", "in_llmcompressor.py", "gptq", {"scheme": "W4A16"}),
    Side(AWQ, ACGYM, "in_acgym.py", "awq-w4-g128", {"format": "awq"}),
    Side(AWQ, STREAMED, "in_acgym.py", "awq-w4-g128", {"format": "awq", "stream": True}),
    Side(AWQ, "gptqmodel", "in_gptqmodel.py", "awq", {"sym": False}, dtype="auto"),
    Side(AWQ, "llmcompressor", "in_llmcompressor.py", "awq", {"scheme": "W4A16_ASYM"}),
    Side(AWQ, "autoawq", "in_autoawq.py", "awq"),
    Side(SPARSEGPT, ACGYM, "in_acgym.py", "sparsegpt-2:4", {"format": "dense"}),
    Side(SPARSEGPT, STREAMED, "in_acgym.py", "sparsegpt-2:4", {"format": "dense", "stream": True}),
    Side(SPARSEGPT, "llmcompressor", "in_llmcompressor.py", "sparsegpt", {"pattern": "2:4"}),
    Side(SPARSEGPT, "sparsegpt", "in_originals.py", "sparsegpt", {"pattern": "2:4"}),
    Side(WANDA, ACGYM, "in_acgym.py", "wanda-2:4", {"format": "dense"}),
    Side(WANDA, STREAMED, "in_acgym.py", "wanda-2:4", {"format": "dense", "stream": True}),
    Side(WANDA, "llmcompressor", "in_llmcompressor.py", "wanda", {"pattern": "2:4"}),
    Side(WANDA, "wanda", "in_originals.py", "wanda", {"pattern": "2:4"}),
)


@dataclass
class Row:
    """What one side needed for one model."""

    model: str
    side: Side
    seconds: float
    processor: float
    process: float
    peak: int
    """Bytes."""
    folder: Path
    versions: dict[str, str]
    nll: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        said: dict[str, Any] = {"method": self.side.method, "toolkit": self.side.toolkit, "settings": self.side.name}
        said |= {"options": self.side.options, "versions": self.versions}
        return {"model": self.model, **said, "seconds": self.seconds, "process_seconds": self.process,
                "peak_bytes": self.peak, "nll": self.nll}  # fmt: skip


def prepare(folder: Path, shape: str, models: list[str]) -> None:
    """Write models and token ids, in a process of its own: this one stays small and idle."""
    program = ROOT / "tests" / "cross" / "material.py"
    subprocess.run([sys.executable, str(program), str(folder), shape, *models], check=True)


def interpreter(side: Side) -> Path:
    """Return the Python that runs a side."""
    if side.program == "in_acgym.py":
        return Path(sys.executable)
    return environments.python("llmcompressor" if side.program == "in_originals.py" else side.toolkit)


def measure(side: Side, model: str, folder: Path, repeat: int) -> Row:
    """Run one side ``repeat`` times on one model and keep the fastest.

    Raises:
        RuntimeError: if it fails.
    """
    found: list[Row] = []
    for turn in range(repeat):
        out = folder / re.sub(r"\W+", "_", f"{side.method}-{side.toolkit}-{model}-{turn}")
        job = {
            "model": str(folder / model),
            "out": str(out),
            "method": side.name,
            "options": side.options,
            "dtype": side.dtype,
            "calibration": str(folder / "calibration.json"),
        }
        report = environments.run(interpreter(side), side.program, job, OMP_NUM_THREADS=str(os.cpu_count()))
        peak, versions = report["peak_bytes"]["save"], report["versions"]
        seconds, processor = report["seconds"]["quantise"], report["processor_seconds"]["quantise"]
        found.append(Row(model, side, seconds, processor, report["total_seconds"], peak, out, versions))
    return min(found, key=lambda row: row.seconds)


def add_losses(rows: list[Row], folder: Path) -> None:
    """Measure the checkpoints of the reference agent, and the agent itself."""
    ours = {
        str(index): str(row.folder)
        for index, row in enumerate(rows)
        if row.model == "reference" and row.side.method != FLOOR
    }
    if not ours:
        return
    job = {
        "out": str(folder / "nll"),
        "checkpoints": {"dense": str(folder / "reference"), **ours},
        "held_out": str(folder / "held_out.json"),
    }
    report = environments.run(Path(sys.executable), "in_acgym.py", job)
    for index in ours:
        rows[int(index)].nll = report["nll"][index]
    print(
        f"\ndense reference agent: {report['nll']['dense']:.5f} nats per token on {report['tokens']:,} held-out tokens"
    )


def show(rows: list[Row]) -> None:
    """Print one line for each run, grouped by model and method, and acgym beside the best of the others."""
    head = ("seconds", "processor", "process", "peak MiB", "NLL")
    print(f"\n{'model':<12} {'method':<17} {'toolkit':<14} " + " ".join(f"{word:>9}" for word in head))
    for row in rows:
        loss = "-" if row.nll is None else f"{row.nll:.5f}"
        print(
            f"{row.model:<12} {row.side.method:<17} {row.side.toolkit:<14} {row.seconds:>9.2f} {row.processor:>9.2f} "
            f"{row.process:>9.2f} {row.peak / 2**20:>9.0f} {loss:>9}"
        )
    print(f"\nacgym beside the best of the others (aims: seconds <= {GOAL_TIME}, memory <= 1, NLL difference <= 0)")
    floors = {row.model: row.seconds for row in rows if row.side.method == FLOOR}
    for ours, others in pairs(rows):
        process = ours.process / min(row.process for row in others)
        seconds = ours.seconds / min(row.seconds for row in others)
        processor = ours.processor / min(row.processor for row in others)
        memory = ours.peak / min(row.peak for row in others)
        losses = [row.nll for row in others if row.nll is not None]
        loss = f"{ours.nll - min(losses):+.5f}" if ours.nll is not None and losses else "-"
        print(
            f"{ours.model:<12} {ours.side.method:<17} {ours.side.toolkit:<14} seconds x{seconds:.2f}, "
            f"processor x{processor:.2f}, process x{process:.2f}, memory x{memory:.2f}, NLL {loss}"
        )
        if ours.model in floors:
            other = min(row.seconds for row in others)
            print(f"  in units of {FLOOR}: {ours.seconds / floors[ours.model]:.2f}, {other / floors[ours.model]:.2f}")


def pairs(rows: list[Row]) -> Iterator[tuple[Row, list[Row]]]:
    """Go through acgym's rows, each with those of the others for the same model and method."""
    own = (ACGYM, STREAMED)
    for ours in (row for row in rows if row.side.toolkit in own):
        same = [row for row in rows if (row.model, row.side.method) == (ours.model, ours.side.method)]
        others = [row for row in same if row.side.toolkit not in own]
        if others:
            yield ours, others


def chosen(arguments: argparse.Namespace) -> list[tuple[str, Side]]:
    """Return what is to be run: models, and sides with the folders of the originals filled in."""
    words = set(arguments.only)
    models = [m for m in (QUICK if arguments.quick else MODELS) if not words & set(MODELS) or m in words]
    words -= set(MODELS)
    found = []
    for model in models:
        for side in SIDES:
            if words and side.method != FLOOR and side.method.split()[0] not in words:
                continue
            if side.program == "in_originals.py":
                folder = getattr(arguments, side.toolkit)
                if folder is None or not model.endswith(("reference", "llama")):
                    print(
                        f"left out: the original {side.toolkit} code on {model} (--{side.toolkit} FOLDER; Llama only)"
                    )
                    continue
                side.options["folder"] = str(Path(folder).resolve())
            found.append((model, side))
    return found


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = sorted({side.method.split()[0] for side in SIDES if side.method != FLOOR})
    parser.add_argument("--only", action="append", default=[], choices=[*kinds, *MODELS], help="repeat for several")
    parser.add_argument("--quick", action="store_true", help="one run each, of the reference agent and a tiny Llama")
    parser.add_argument("--calibration", default="32x256", help="rows x tokens, the same for all")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--sparsegpt", help="checkout of IST-DASLab/sparsegpt")
    parser.add_argument("--wanda", help="checkout of locuslab/wanda")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    runs = chosen(arguments)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, arguments.calibration, sorted({model for model, _ in runs}))
        for model, side in runs:
            try:
                rows.append(measure(side, model, folder, 1 if arguments.quick else arguments.repeat))
            except RuntimeError as error:
                print(f"FAILED: {side.toolkit} {side.method} on {model}: {error}", file=sys.stderr)
                continue
            print(f"{model}, {side.method}, {side.toolkit}: {rows[-1].seconds:.1f} s", flush=True)
        add_losses(rows, folder)
    show(rows)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps([row.as_json() for row in rows], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
