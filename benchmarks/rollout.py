"""Tokens per second of agents' rollouts: the engine beside four other ways to generate, on the same conversations.

python benchmarks/rollout.py [--quick] [--threads 2] [--model random reference] [--episodes 64] [--turns 8]
                             [--side static ours ...] [--rounds 2]

Two models: a random Qwen2 of 122M parameters in bfloat16 (12 layers of width 768, 2 key-value heads, 32,000 tokens) and
the reference agent. Two loads: episodes of several turns (60 new prompt tokens and 40 generated in each), and one turn
with prompts of 1,000 tokens. No environment is around any side; benchmarks/harness.py measures what that costs.

    sequential   generate for one prompt after the other, each turn read whole (on a part of the episodes)
    batched      generate for all prompts of a turn at once, read whole
    static       one batch in step that keeps its DynamicCache from turn to turn
    paged        transformers' continuous batching
    ours         the engine; no drafts, which random words would not fit anyway
    ours+drafts  with drafts: random models repeat themselves, which flatters

Each side is told as it is done, and then beside the static batch, by the clock and by its processor time, which is less
disturbed by whatever else runs. The static batch and the engine run several rounds, in turns; the best one counts. The
paged side takes more than a quarter of an hour.
"limit" is what the memory's bandwidth allows: one step of all episodes reads all weights and, at half of the final
length, all keys and values.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache, GenerationConfig, Qwen2Config, Qwen2ForCausalLM
from transformers.utils import logging

import acgym
from acgym.agents.decoding import Decoding
from acgym.agents.engine.engine import Engine
from acgym.agents.engine.padded import cache_argument
from acgym.agents.engine.reply_state import Rules
from acgym.agents.engine.speculation import Drafts
from acgym.agents.engine.varlen import reader_of
from acgym.agents.local import REFERENCE, load

GENERATED = 40
PAIRED = ("static", "ours")
"""Sides that run several rounds; the best run counts."""
SIDES = ("static", "ours", "ours+drafts", "batched", "sequential", "paged")


@dataclass
class Load:
    """Conversations: words[episode][turn] are new prompt tokens."""

    words: list[list[list[int]]]

    @property
    def tokens(self) -> int:
        """Tokens generated in all."""
        return GENERATED * len(self.words) * len(self.words[0])

    @property
    def length(self) -> int:
        """Tokens of a whole conversation."""
        return sum(len(turn) + GENERATED for turn in self.words[0])

    def part(self, episodes: int) -> Load:
        """Return the first episodes."""
        return Load(self.words[:episodes])


def random_model() -> Any:
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=32000,
        hidden_size=768,
        intermediate_size=2048,
        num_hidden_layers=12,
        num_attention_heads=12,
        num_key_value_heads=2,
        eos_token_id=None,
        bos_token_id=None,
        pad_token_id=0,
    )
    return Qwen2ForCausalLM(config).to(torch.bfloat16).eval()


MODELS: dict[str, Callable[[], Any]] = {"random": random_model, "reference": lambda: load(str(REFERENCE)).model}


def greedy(model: Any, **more: Any) -> GenerationConfig:
    return GenerationConfig(do_sample=False, max_new_tokens=GENERATED, min_new_tokens=GENERATED, pad_token_id=0, **more)


@torch.inference_mode()
def batched(model: Any, load: Load) -> None:
    histories: list[list[int]] = [[] for _ in load.words]
    for turn in range(len(load.words[0])):
        histories = [old + new[turn] for old, new in zip(histories, load.words, strict=True)]
        ids = torch.tensor(histories)
        out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=greedy(model))
        histories = out.tolist()


def sequential(model: Any, load: Load) -> None:
    for episode in load.words:
        batched(model, Load([episode]))


@torch.inference_mode()
def static(model: Any, load: Load) -> None:
    cache, last = DynamicCache(config=model.config), None
    kept = {cache_argument(model): cache}
    for turn in range(len(load.words[0])):
        ids = torch.tensor([episode[turn] for episode in load.words])
        ids = ids if last is None else torch.cat([last, ids], dim=1)
        for _ in range(GENERATED):
            out = model(input_ids=ids, **kept, use_cache=True, logits_to_keep=1)
            ids = last = out.logits[:, -1].argmax(-1)[:, None]


def paged(model: Any, load: Load) -> None:
    from transformers.generation import ContinuousBatchingConfig

    before = model.config._attn_implementation
    blocks = len(load.words) * (-(-load.length // 32) + 2)
    how = ContinuousBatchingConfig(block_size=32, num_blocks=blocks, max_batch_tokens=2048, use_cuda_graph=False)
    histories: list[list[int]] = [[] for _ in load.words]
    try:
        for turn in range(len(load.words[0])):
            histories = [old + new[turn] for old, new in zip(histories, load.words, strict=True)]
            done = model.generate_batch(
                histories, generation_config=greedy(model, eos_token_id=-1), continuous_batching_config=how
            )
            said = sorted(done.values(), key=lambda output: int(output.request_id.rpartition("_")[2]))
            assert len(said) == len(histories), f"{len(said)} of {len(histories)} prompts were answered"
            histories = [old + list(output.generated_tokens) for old, output in zip(histories, said, strict=True)]
    finally:
        model.set_attn_implementation(before)


def engine(model: Any, load: Load, drafts: Drafts | None) -> Engine:
    reader = reader_of(model)
    assert reader is not None
    made = Engine(reader, Rules(Decoding(), ()), 128, drafts)

    async def play(words: list[list[int]]) -> None:
        ids: list[int] = []
        seen: tuple[int, ...] = ()
        for turn in words:
            ids = ids + turn
            ids = ids + (await made.answer(ids, GENERATED, seen)).token_ids
            seen = tuple(ids)

    async def everyone() -> None:
        await asyncio.gather(*(play(words) for words in load.words))

    asyncio.run(everyone())
    return made


def bandwidth() -> float:
    """Return bytes per second that can be read from memory, the best of five; all threads together."""
    block = torch.zeros(1 << 26, dtype=torch.int64)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        block.max()
        times.append(time.perf_counter() - started)
    return block.numel() * block.itemsize / min(times)


def limit(model: Any, load: Load, speed: float) -> float:
    """Return tokens per second if nothing took time but reading weights, keys and values."""
    weights = sum(parameter.numel() * parameter.itemsize for parameter in model.parameters())
    reader = reader_of(model)
    assert reader is not None
    states = sum(shape.token_bytes for shape in reader.shapes.values()) * len(load.words) * load.length / 2
    return len(load.words) / ((weights + states) / speed)


def measure(model: Any, load: Load, fewer: int, chosen: Sequence[str], rounds: int) -> None:
    pool = 0
    read = 0

    def ours(drafts: Drafts | None) -> None:
        nonlocal pool, read
        made = engine(model, load, drafts)
        pool, read = made.pool.bytes, made.reader.tokens

    sides: dict[str, tuple[Callable[[], None], int]] = {
        "static": (lambda: static(model, load), load.tokens),
        "ours": (lambda: ours(None), load.tokens),
        "ours+drafts": (lambda: ours(Drafts()), load.tokens),
        "batched": (lambda: batched(model, load), load.tokens),
        "sequential": (lambda: sequential(model, load.part(fewer)), load.part(fewer).tokens),
        "paged": (lambda: paged(model, load), load.tokens),
    }
    found: dict[str, tuple[float, float]] = {}
    paired = [name for name in chosen if name in PAIRED]
    others = [name for name in chosen if name not in PAIRED]
    for name in [*paired * rounds, *others]:  # in turns, since a shared machine's speed changes
        side, tokens = sides[name]
        started, used = time.perf_counter(), time.process_time()
        try:
            side()
        except Exception as error:
            print(f"{name:12}{'-':>10}  {type(error).__name__}: {' '.join(str(error).split())[:120]}", flush=True)
            continue
        now = tokens / (time.perf_counter() - started), tokens / (time.process_time() - used)
        found[name] = max(found.get(name, now), now)
        print(f"{name:12}{now[0]:10.0f}", flush=True)
    print(f"{'side':12}{'tokens/s':>10}{'x static':>10}{'tokens/cpu s':>14}{'x static (cpu)':>16}")
    for name, (wall, cpu) in found.items():
        ratios = [now / best for now, best in zip((wall, cpu), found.get("static", (wall, cpu)), strict=True)]
        print(f"{name:12}{wall:10.0f}{ratios[0]:10.2f}{cpu:14.0f}{ratios[1]:16.2f}", flush=True)
    print(f"{'limit':12}{limit(model, load, bandwidth()):10.0f}   ours read {read} tokens and held {pool / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="16 episodes, 2 turns, 8 long prompts")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--model", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--side", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    logging.set_verbosity_error()
    if options.threads:
        torch.set_num_threads(options.threads)
    how = options.side, options.rounds
    episodes, turns = (16, 2) if options.quick else (options.episodes, options.turns)
    print(f"acgym {acgym.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name in options.model:
        model = MODELS[name]()
        draw = torch.Generator().manual_seed(1)
        vocabulary = model.config.vocab_size

        def words(count: int, draw: torch.Generator = draw, vocabulary: int = vocabulary) -> list[int]:
            return torch.randint(3, vocabulary, (count,), generator=draw).tolist()  # type: ignore[no-any-return]

        print(f"\n{name}: {episodes} episodes x {turns} turns, 60 new tokens and {GENERATED} generated in each")
        measure(model, Load([[words(60) for _ in range(turns)] for _ in range(episodes)]), max(1, episodes // 16), *how)
        long = episodes // 2 if options.quick else episodes
        print(f"\n{name}: {long} prompts of 1,000 tokens, {GENERATED} generated")
        measure(model, Load([[words(1000)] for _ in range(long)]), max(1, long // 16), *how)


if __name__ == "__main__":
    main()
