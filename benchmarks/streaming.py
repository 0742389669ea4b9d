"""Peak memory and seconds per layer of a streamed compression of a random model.

python benchmarks/streaming.py [--recipes gptq-w4-g128-sym] [--format gptq] [--shape 7b] [--layers 2]
    [--tokens 256 4096] [--folder DIR]

The model is a bfloat16 Llama with a vocabulary of 32,000. Shape 7b has width 4096 (11008 inside) and few of its 32
layers, shape small width 1024 (2816 inside). Each run is a process of its own, whose peak memory is the operating
system's figure; that of a process that imports all and compresses nothing is printed before. Layers are alike and only
one is in memory, so the peak does not grow with their number: try --layers. Measured are two sizes of calibration; for
7b the line through them gives the figures for all 32 layers and 128 x 2,048 tokens, which are extrapolated and say so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from acgym.compress.stream.folder import compress_folder
from acgym.compress.walk.layer import ERROR_TOKENS

SHAPES = {"7b": (4096, 11008, 32), "small": (1024, 2816, 16)}
"""Width, inner width and heads."""
LAYERS = 32
FULL = 128 * 2048
SEQUENCE = 256


def write_model(folder: Path, shape: str, layers: int) -> int:
    """Write a random model, a layer at a time; return its bytes."""
    width, inner, heads = SHAPES[shape]
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        dtype="bfloat16",
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    shards: dict[str, dict[str, torch.Size]] = {}
    for name, parameter in model.named_parameters():
        part = name.split(".")[2] if ".layers." in name else name
        shards.setdefault(f"model-{part}.safetensors", {})[name] = parameter.shape
    for file, shapes in shards.items():
        tensors = {name: torch.empty(shape, dtype=torch.bfloat16) for name, shape in shapes.items()}
        for tensor in tensors.values():
            if tensor.dim() == 1:
                tensor.fill_(1.0)
            else:
                tensor.uniform_(-0.03, 0.03)
        save_file(tensors, folder / file, metadata={"format": "pt"})
    weight_map = {name: file for file, shapes in shards.items() for name in shapes}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    config.save_pretrained(folder)
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def compress_once(source: str, recipe: str, tokens: int, format: str) -> None:
    """Compress in this process and print the seconds of the layers."""
    if not tokens:
        print(0.0)
        return
    rows = torch.randint(0, 32000, (tokens // SEQUENCE, SEQUENCE), generator=torch.Generator().manual_seed(1)).tolist()
    out = Path(source).with_name("out")
    print(compress_folder(source, recipe, rows, out, format=format).seconds)
    shutil.rmtree(out)


def measured(source: Path, recipe: str, tokens: int, format: str) -> tuple[float, float, float]:
    """Return seconds in layers, wall seconds of the whole process, and its peak memory in bytes."""
    command = [sys.executable, __file__, "--one", str(source), recipe, str(tokens), format]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read() if process.stdout is not None else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{recipe} with {tokens} tokens failed with status {process.returncode}")
    return float(output), time.perf_counter() - started, usage.ru_maxrss * 1024.0


def report(source: Path, recipe: str, format: str, shape: str, layers: int, sizes: list[int]) -> None:
    """Measure one recipe, and extrapolate to the whole 7b."""
    rows = [(tokens, *measured(source, recipe, tokens, format)) for tokens in sizes]
    for tokens, seconds, wall, peak in rows:
        print(
            f"{recipe} into {format}, {layers} layers, {tokens} tokens: {seconds / layers:.1f} s a layer, {wall:.1f} s "
            f"in all, peak memory {peak / 2**30:.2f} GiB",
            flush=True,
        )
    (few, fast, _, low), (many, slow, _, high) = rows[0], rows[-1]
    if shape != "7b":
        return
    held = FULL + min(ERROR_TOKENS, FULL) - 2 * many  # hidden states, and dense outputs that errors are measured on
    hidden = held * SHAPES[shape][0] * 2
    print(
        f"{recipe}, EXTRAPOLATED to {FULL:,} tokens: peak memory {(max(low, high) + hidden) / 2**30:.1f} GiB (the "
        "measured peak, a copy of the hidden states and the outputs that errors are measured on)"
    )
    if many > few:
        seconds = (slow + max(0.0, slow - fast) / (many - few) * (FULL - many)) / layers * LAYERS
        print(f"{recipe}, EXTRAPOLATED to {LAYERS} layers and {FULL:,} tokens: {seconds / 3600:.2f} h", flush=True)


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--one"]:
        return compress_once(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["gptq-w4-g128-sym"])
    parser.add_argument("--format", default="gptq", help="dense, gptq, awq or compressed-tensors.")
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--tokens", type=int, nargs="+", default=[256, 4096])
    parser.add_argument("--folder", type=Path, help="Where the model is written (1.3 GB for 2 layers). Default: /tmp.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        source = Path(scratch) / "model"
        size = write_model(source, arguments.shape, arguments.layers)
        base = measured(source, "", 0, arguments.format)[2]
        print(f"model of {size / 2**30:.2f} GiB; a process that only imports: {base / 2**30:.2f} GiB", flush=True)
        for recipe in arguments.recipes:
            report(source, recipe, arguments.format, arguments.shape, arguments.layers, arguments.tokens)
    return None


if __name__ == "__main__":
    main()
