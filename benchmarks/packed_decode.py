"""Tokens per second and bytes of packed execution beside dense bfloat16: batch-1 greedy decode of a 1B-shaped model.

python benchmarks/packed_decode.py [--layers 22] [--tokens 24] [--threads 1 2]

The model is random: a Llama of TinyLlama's shape (22 layers of width 2048, 5632 inside, 4 key-value heads, 32,000
tokens, 1.1B parameters); speed does not depend on the values. All sides run the same loop (transformers' forward with
its cache) in one process, in turns; the median token of the best turn counts. With one thread the ratio of processor
times is printed too: it is less disturbed by whatever else runs. With fewer layers the head weighs more: its share is
printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any, TypeAlias, cast

import torch
from torch import nn
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

from acgym.agents.engine.padded import cache_argument
from acgym.compress.packed.linear import Int4Linear, Int8Linear, PackedLinear, W8A8Linear
from acgym.compress.walk.layers import decoder_layers
from acgym.compress.walk.projections import projections

PROMPT = 16
TURNS = 3
DENSE = "dense bfloat16"


def int4(linear: nn.Linear) -> PackedLinear:
    """Return nibbles in groups of 128, as rtn-w4-g128 makes them."""
    groups = (linear.out_features, linear.in_features // 128)
    return Int4Linear(_integers(linear, 16), torch.full(groups, 0.003), torch.full(groups, 8), 128, 4, None)


def int8(linear: nn.Linear) -> PackedLinear:
    """Return bytes with a scale per row, as rtn-w8-channel-sym makes them."""
    rows = (linear.out_features, 1)
    return Int8Linear(_integers(linear, 256), torch.full(rows, 0.0002), torch.full(rows, 128), None)


def nibbles(linear: nn.Linear) -> PackedLinear:
    """Return two planes of nibbles, as rtn-w8-g128 makes them."""
    groups = (linear.out_features, linear.in_features // 128)
    return Int4Linear(_integers(linear, 256), torch.full(groups, 0.0002), torch.full(groups, 128), 128, 8, None)


def w8a8(linear: nn.Linear) -> PackedLinear:
    """Return bytes that multiply inputs rounded to bytes, as smoothquant-w8a8 makes them."""
    rows = (linear.out_features, 1)
    return W8A8Linear(_integers(linear, 256), torch.full(rows, 0.0002), torch.full(rows, 128), None)


Make: TypeAlias = Callable[[nn.Linear], PackedLinear]

SIDES: dict[str, tuple[Make, Make | None]] = {
    "int4 (groups of 128)": (int4, None),
    "int4, head too": (int4, int4),
    "int8 (a scale per row)": (int8, None),
    "int8, head too": (int8, int8),
    "2 x int4 (8 bits, groups of 128)": (nibbles, None),
    "w8a8": (w8a8, None),
}
"""What makes the projections, and what the head; None leaves it dense, as recipes do unless they name it."""


def _integers(linear: nn.Linear, top: int) -> torch.Tensor:
    return torch.randint(0, top, (linear.out_features, linear.in_features), dtype=torch.uint8)


def shaped(layers: int) -> LlamaForCausalLM:
    """Return the model without weights."""
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=2048,
        intermediate_size=5632,
        num_hidden_layers=layers,
        num_attention_heads=32,
        num_key_value_heads=4,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config).bfloat16()
    rotary: Any = model.model.rotary_emb
    model.model.rotary_emb = type(rotary)(config)
    return model.eval()


def filled(model: LlamaForCausalLM, dense: LlamaForCausalLM | None = None) -> LlamaForCausalLM:
    """Give every parameter that has no memory random values; embeddings and head are those of ``dense``, if given."""
    if dense is not None:
        model.model.embed_tokens, model.lm_head = dense.model.embed_tokens, dense.lm_head
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None and parameter.is_meta:
                values = torch.empty(parameter.shape, dtype=torch.bfloat16).uniform_(-0.02, 0.02)
                module._parameters[name] = nn.Parameter(values + (parameter.dim() == 1), requires_grad=False)
    return model


def packed(layers: int, make: Make, head: Make | None, dense: LlamaForCausalLM) -> LlamaForCausalLM:
    """Return a model whose projections, and if asked whose head, are packed random integers."""
    model = shaped(layers)
    for name, layer in decoder_layers(model).items():
        for key, linear in projections(layer).items():
            parent, _, child = f"{name}.{key}".rpartition(".")
            setattr(model.get_submodule(parent), child, make(cast(nn.Linear, linear)))
    filled(model, dense)
    if head is not None:
        model.lm_head = head(dense.lm_head)  # type: ignore[assignment]
    return model


def size(model: LlamaForCausalLM) -> int:
    """Return the bytes of all parameters and buffers."""
    return sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))


def seconds_per_token(model: LlamaForCausalLM, tokens: int) -> tuple[float, float, float]:
    """Return the median wall seconds and processor seconds of a token, and the wall seconds of the prompt."""
    ids = torch.arange(PROMPT)[None] + 5
    walls, processors = [], []
    kept = {cache_argument(model): DynamicCache(config=model.config)}
    with torch.inference_mode():
        started = time.perf_counter()
        out = model(ids, **kept, use_cache=True)
        prompt = time.perf_counter() - started
        for _ in range(tokens):
            wall, processor = time.perf_counter(), time.thread_time()
            ids = out.logits[:, -1:].argmax(-1)
            out = model(ids, **kept, use_cache=True)
            walls.append(time.perf_counter() - wall)
            processors.append(time.thread_time() - processor)
    return median(walls), median(processors), prompt


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=22)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    torch.manual_seed(0)
    dense = filled(shaped(arguments.layers))
    models = {DENSE: dense} | {name: packed(arguments.layers, *makes, dense) for name, makes in SIDES.items()}
    head = dense.lm_head.weight.numel() / sum(p.numel() for p in dense.parameters())
    print(f"{arguments.layers} layers, the head is {head:.0%} of the weights; torch {torch.__version__}")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        turns = [
            {name: seconds_per_token(model, arguments.tokens) for name, model in models.items()} for _ in range(TURNS)
        ]
        best = {name: [min(column) for column in zip(*(turn[name] for turn in turns), strict=True)] for name in models}
        for name, (wall, processor, prompt) in best.items():
            own = f", {best[DENSE][1] / processor:.2f} x in processor time" if threads == 1 else ""
            print(
                f"{threads} threads, {name}: {1 / wall:.2f} tokens/s ({best[DENSE][0] / wall:.2f} x dense{own}), "
                f"prompt of {PROMPT}: {prompt:.2f} s, {size(models[name]) / 1e6:.0f} MB"
            )


if __name__ == "__main__":
    main()
