"""Small made-up runs for tests of what shows a run: every kind of pair, signals, sizes; nothing is played."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from acgym.analysis.comparison import assemble_result
from acgym.analysis.result import RESULT, ComparisonResult
from acgym.probe.signals import Signals
from acgym.record.episode import Episode, Turn
from acgym.record.run import Run
from tests.helpers.recorded import bad, broken, episode, turn

DENSE, OTHER = "hf:Qwen/Qwen2.5-7B-Instruct", "hf:Qwen/Qwen2.5-7B-Instruct+gptq-w4-g128"
TOOLS, NEEDLE = "ACB/ToolCall-v0", "ACB/Needle-v0"
HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=2>\u2028\u2029\x1b[31mred\x07"
    "\u202egnp.exe\ufeff&amp;'\"`${window.hacked=3}{{ 7*7 }}<!--]]>\ud800"
)
TOKENS = 40


def pairs(words: str = "ask") -> list[tuple[Episode, Episode]]:
    """Seeds 0 to 5: the same, reworded, another decision (both solve it), lost, won, failed."""
    good = [turn("a", 0.5, observation=words), turn("b", 1.0, observation="more")]
    reworded = [turn("Thought: so. Action: a", 0.5, observation=words, text="Thought: so. Action: a")]
    dense = [
        episode(good, success=True, seed=0),
        episode([turn("Action: a", 0.5, observation=words), turn("b", 1.0)], success=True, seed=1),
        episode(good, success=True, seed=2),
        episode(good, success=True, seed=3),
        episode([good[0], turn("z", 0.5, observation="more", error="wrong_argument")], seed=4),
        episode(good, success=True, seed=5),
    ]
    other = [
        episode(good, success=True, seed=0),
        episode([*reworded, turn("b", 1.0)], success=True, seed=1),
        episode([good[0], turn("c", 0.5, observation="more"), turn("b", 1.0)], success=True, seed=2),
        episode([good[0], bad("needle in words", 0.5, observation="more")], seed=3),
        episode(good, success=True, seed=4),
        broken(episode(good[:1], seed=5)),
    ]
    return [(a, replace(b, agent="other")) for a, b in zip(dense, other, strict=True)]


def needle(seed: int, success: bool, depth: int) -> Episode:
    """Return an episode of retrieval that records how long its text is and how deep in it the answer lies."""
    return episode(
        [turn("Answer: 4821" if success else "Answer: 1", float(success), observation="Read.")],
        success=success, seed=seed, env=NEEDLE, task_hash=f"needle{seed}",
        capability="long-context retrieval", facts={"length": 115, "depth": depth},
    )  # fmt: skip


def write_run(folder: Path, dense: str = DENSE, other: str = OTHER, words: str = "ask") -> Run:
    """Write a finished run of two agents in two environments, with sizes and signals, without its comparison."""
    rows = {dense: [a for a, _ in pairs(words)], other: [b for _, b in pairs(words)]}
    rows[dense] += [needle(seed, True, 17 * seed) for seed in range(6)]
    rows[other] += [needle(seed, seed > 2, 17 * seed) for seed in range(6)]
    envs = {TOOLS: {"level": 1}, NEEDLE: {"level": 1}}
    run = Run.open(folder, {"agents": [dense, other], "envs": envs, "episodes": 6, "seed": 0})
    with run:
        for i, (name, episodes) in enumerate(rows.items()):
            for one in episodes:
                run.append(name, replace(one, agent=name, kwargs={"level": 1}, turns=tuple(map(in_tokens, one.turns))))
            measured = {env: signals(i, env) for env in envs}
            by_env = {env: found.to_dict() for env, found in measured.items()}
            sheet: dict[str, Any] = {"weight_bytes": 4_000_000 // (i + 1), "bits_per_weight": 16.0 / (3 * i + 1)}
            sheet["signals"] = {"tokens_sha256": "x", "episodes": 25, "by_env": by_env}
            run.write_json("agent.json", sheet, name)
            arrays = {f"{env}/{key}": array for env, found in measured.items() for key, array in found.arrays.items()}
            save_file(arrays, run.folder(name) / "signals.safetensors")
    return run


def in_tokens(said: Turn) -> Turn:
    """Give a turn a prompt of two tokens and a reply of two, of which the second tells replies apart."""
    return replace(said, prompt_ids=(1, 2), token_ids=(3, 10 + len(said.text)))


def signals(i: int, env: str) -> Signals:
    """Make up what a model showed: ``i`` is 0 for the dense one."""
    rng = np.random.default_rng([i, len(env)])
    place = {"sequence": np.zeros(TOKENS, np.int32), "position": np.arange(TOKENS, dtype=np.int32)}
    energy = rng.normal(-10 + i, 1, TOKENS).astype(np.float32)
    arrays = {**place, "energy": energy, "nll": np.abs(energy)}
    layers = {1: 5.0 - i, 2: 7.0 - i}
    found = Signals(n_tokens=TOKENS, n_sequences=1, erank=30.0, diff_erank=8.0, energy=-10.0, nll=0.5)
    pair: dict[str, Any] = {}
    if i:
        small = np.linspace(0, 1, TOKENS, dtype=np.float32)
        arrays |= {"energy_dense": energy, "kl": small, "flip": (small > 0.5).astype(np.uint8)}
        arrays |= {"topk_jaccard@10": 1 - small}
        pair = {name: {3: 0.9, 10: 0.8, 20: 0.7} for name in ("topk_jaccard", "topk_kendall", "topk_spearman")}
        pair |= dict.fromkeys(("energy_shift", "energy_abs_shift", "energy_w1", "energy_ks"), 0.5)
        pair |= {"kl": 0.125, "top1_flip": 0.25}
    return replace(found, arrays=arrays, erank_layers=layers, **pair)


def finish(run: Run) -> ComparisonResult:
    """Compare the run's agents and write ``comparison.json``."""
    result = assemble_result(run)
    run.write_json(RESULT, result.to_json())
    return result
