"""What the probe costs: processor time beside a plain teacher-forced forward pass, and peak memory by tokens.

python benchmarks/probe.py [--vocab 32000 151936] [--tokens 4096] [--rounds 3] [--memory 1000 10000 100000] [--parts]

The model is a random Llama shaped like one of 100M parameters (width 768, 12 layers, 2,048 inside, float32) and the
plain pass gives the logits of all positions, as ``model(input_ids).logits`` does. A probe of one model takes all its
signals; a pair is compared with remembered logits. Decision tokens are every token, or runs of them that make up 37 %
(what the reference agent generates of its transcripts). One thread, processor time of this process, all variants in
turn and the best of the rounds, so that a shared machine does not decide. Memory: the peak of a process of its own,
of a model shaped like the reference agent (width 256, 4 layers).

Where other work on the machine makes whole passes differ by more than a probe costs, ``--parts`` times instead what a
probe does beside the same pass, step by step, where every token is a decision token: the sum is what it adds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from acgym.probe.run import probe, probe_pair, remember
from acgym.record.tokens import TokenSequence

LENGTH = 512
LAYERS = 12
SOME = 256
"""Tokens whose logits are reduced at once, as the probe does."""
RUN = 16
"""Decision tokens in a row where not all are."""
SHARE = 0.37


def make(vocab: int, width: int = 768, layers: int = LAYERS, seed: int = 0) -> LlamaForCausalLM:
    """A random model."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocab,
        hidden_size=width,
        intermediate_size=2048 * width // 768,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        num_key_value_heads=width // 64,
    )
    return LlamaForCausalLM(config).eval()


def sequences(tokens: int, vocab: int, share: float) -> list[TokenSequence]:
    """Random sequences in which a share of the tokens are decision tokens."""
    rows = torch.randint(vocab, (max(1, tokens // LENGTH), LENGTH), generator=torch.Generator().manual_seed(1)).tolist()
    step = round(RUN / share)
    spans = [(1, LENGTH)] if share == 1 else [(start, min(start + RUN, LENGTH)) for start in range(1, LENGTH, step)]
    return [(row, spans) for row in rows]


def plain(model: LlamaForCausalLM, rows: Sequence[TokenSequence]) -> None:
    """Teacher-force without a probe, two sequences at a time."""
    with torch.inference_mode():
        for at in range(0, len(rows), 2):
            model(input_ids=torch.tensor([ids for ids, _ in rows[at : at + 2]]), use_cache=False)


def seconds(variants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Best processor time of each variant, all of them in turn."""
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(rounds):
        for name, run in variants.items():
            started = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - started)
    return best


def report(vocab: int, tokens: int, rounds: int) -> None:
    """Print the times of one vocabulary."""
    model, other = make(vocab), make(vocab, seed=1)
    size = sum(parameter.numel() for parameter in model.parameters())
    print(f"vocabulary {vocab:,}, {size / 1e6:.0f}M parameters, {tokens // LENGTH} x {LENGTH} tokens", flush=True)
    for share in (SHARE, 1.0):
        rows = sequences(tokens, vocab, share)
        kept = remember(model, rows)
        best = seconds(
            {
                "plain": lambda rows=rows: plain(other, rows),
                "alone, final": lambda rows=rows: probe(other, rows),
                "alone, all layers": lambda rows=rows: probe(other, rows, layers="all"),
                "pair, final": lambda rows=rows, kept=kept: probe_pair(kept, other, rows),
                "pair, all layers": lambda rows=rows, kept=kept: probe_pair(kept, other, rows, layers="all"),
            },
            rounds,
        )
        told = ", ".join(f"{name} {value / best['plain']:.2f}x" for name, value in best.items() if name != "plain")
        print(f"  {share:.0%} decision tokens: plain {best['plain']:.2f} s; {told}", flush=True)


def parts(vocab: int, tokens: int, rounds: int) -> None:
    """Print what each step of a probe adds to a plain pass, in microseconds a token (medians), and the ratios."""
    from acgym.probe.forward import Split
    from acgym.probe.ranks import Moments, sequence_ranks
    from acgym.probe.reduce import Side, reduce_pair, reduce_rows
    from acgym.probe.run import head_blocks
    from acgym.record.tokens import plan_batches

    model = make(vocab, seed=1)
    rows, split = sequences(2 * LENGTH, vocab, 1.0), Split(model)
    batch = plan_batches(rows, 2 * LENGTH)[0]
    spent: dict[str, list[float]] = {}

    def timed(name: str, run: Callable[[], object], per: int) -> None:
        started = time.thread_time()
        run()
        spent.setdefault(name, []).append((time.thread_time() - started) / per * 1e6)

    with torch.inference_mode():
        hidden, targets = split.hidden(batch), torch.tensor(batch.targets)
        dense = Side.of(split.logits(hidden + 0.1 * torch.randn_like(hidden)))
        reduce_rows(dense, targets)
        n, moments = len(hidden), Moments()
        moments.add(hidden)
        for _ in range(rounds):
            timed("plain", lambda: plain(model, rows), 2 * LENGTH)
            timed("head at once", lambda: split.logits(hidden), n)
            timed("head in blocks", lambda: [split.logits(hidden[some]) for some in head_blocks(hidden, vocab)], n)
            y = split.logits(hidden[:SOME])
            timed("finite", lambda y=y: bool(torch.isfinite(y.sum(1)).all()), SOME)
            timed("alone", lambda y=y: reduce_rows(y, targets[:SOME]), SOME)
            timed("pair", lambda y=y: reduce_pair(dense.part(slice(SOME), y.device), y, targets[:SOME]), SOME)
            timed("sequence ranks", lambda: [sequence_ranks(x) for x in torch.split(hidden, LENGTH - 1)], n)
            timed("moments", lambda: moments.add(hidden), n)
            timed("rank of moments", moments.erank, tokens)
    cost = {name: sorted(values)[len(values) // 2] for name, values in spent.items()}
    print(f"vocabulary {vocab:,}: " + ", ".join(f"{name} {value:.0f}" for name, value in cost.items()), flush=True)
    place = cost["moments"] + cost["rank of moments"]
    head = max(0.0, cost["head in blocks"] - cost["head at once"])
    for kind in ("alone", "pair"):
        final = head + cost["finite"] + cost[kind] + cost["sequence ranks"] + place
        both = [1 + added / cost["plain"] for added in (final, final + LAYERS * place)]
        print(f"  {kind}: final {both[0]:.2f}x, all layers {both[1]:.2f}x", flush=True)


def memory_once(tokens: int) -> None:
    """Probe in this process and print how far memory grew above the loaded model, in bytes."""
    model = make(32_000, width=256, layers=4)
    probe(model, sequences(LENGTH, 32_000, SHARE), layers="all")
    print(json.dumps(probe(model, sequences(tokens, 32_000, SHARE), layers="all").n_tokens))


def memory(tokens: int) -> float:
    """Peak memory of a process that probes so many tokens, in bytes."""
    with subprocess.Popen([sys.executable, __file__, "--one", str(tokens)], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the probe of {tokens} tokens failed with status {process.returncode}")
    return usage.ru_maxrss * 1024.0


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--one"]:
        return memory_once(int(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=int, nargs="*", default=[32_000, 151_936])
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--parts", action="store_true")
    arguments = parser.parse_args()
    if arguments.parts:
        for vocab in arguments.vocab:
            parts(vocab, arguments.tokens, arguments.rounds)
        return None
    for tokens in arguments.memory:  # first: a child counts the memory of the process that started it
        print(f"{tokens:,} tokens, all layers: peak memory {memory(tokens) / 2**20:.0f} MiB", flush=True)
    for vocab in arguments.vocab:
        report(vocab, arguments.tokens, arguments.rounds)
    return None


if __name__ == "__main__":
    main()
