"""What every toolkit is given alike: models in folders, calibration windows and prompts as token ids.

python material.py FOLDER SAMPLESxLENGTH MODEL... writes calibration.json, held_out.json and the models into a folder;
a model is "reference" or a shape and a family, such as tiny-llama.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

WINDOW = 256
"""Tokens of a calibration row. All have this length: toolkits that pad, cut or join rows then see the same text."""

SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4},
    "small": {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 12},
}
"""Random models: 4 layers of width 256, 12 layers of width 768. Key and value have half the heads of the query."""

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "qwen2": ("Qwen2", {}),
    "mixtral": ("Mixtral", {"num_local_experts": 4}),
    "qwen3_moe": ("Qwen3Moe", {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 256}),
}
"""Family -> transformers' name for it, and settings of its own."""


def windows(rows: Iterable[list[int]], length: int = WINDOW) -> list[list[int]]:
    """Join token rows and cut them into windows of ``length``; the rest at the end is dropped."""
    ids = [token for row in rows for token in row]
    return [ids[at : at + length] for at in range(0, len(ids) - length + 1, length)]


def trajectories(shape: str = "") -> list[list[int]]:
    """Token ids of the reference agent's own episodes on the training split, a list for each conversation.

    ``shape`` such as ",32x256" asks for as many tokens.
    """
    from acgym.assemble.make import local
    from acgym.assemble.spec import parse_spec
    from acgym.calibrate.sample import draw
    from acgym.calibrate.spec import parse_calibration
    from acgym.suites import QUICK, suite_named

    spec = parse_spec("reference")
    envs = dict.fromkeys(suite_named(QUICK), spec.defaults)
    rows: list[list[int]] = draw(parse_calibration(f"trajectories{shape}"), local(spec), envs).sequences
    return rows


def held_out(seeds: range) -> list[tuple[list[int], list[int]]]:
    """The oracle's conversations on the evaluation split, in the reference agent's template.

    Returns:
        (ids, targets) of equal length for each: ``targets[t]`` is ``ids[t + 1]`` where the agent says that token, else
        -100. What the environment says is left out: the agent was never trained to predict it.
    """
    from acgym.agents.local import REFERENCE, load
    from acgym.demonstrations import demonstrations
    from acgym.suites import QUICK, suite_named
    from acgym.train.data import tokenise

    tokenizer = load(str(REFERENCE)).tokenizer
    return [
        tokenise(tokenizer, demonstration)
        for env in suite_named(QUICK)
        for demonstration in demonstrations(env, seeds, "eval", level=1)
    ]


def save_random(folder: Path, family: str = "llama", shape: str = "tiny", seed: int = 0) -> Path:
    """Write a random model with the reference agent's vocabulary and tokenizer, in float32.

    Weights are drawn wide, so that every layer changes its input and a wrong one shows in the logits.
    """
    import torch
    import transformers
    from transformers.utils import logging

    from acgym.agents.local import REFERENCE, load

    tokenizer = load(str(REFERENCE)).tokenizer
    name, more = FAMILIES[family]
    settings = {
        **SHAPES[shape],
        "num_key_value_heads": SHAPES[shape]["num_attention_heads"] // 2,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 2048,
        "initializer_range": 0.05,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": False,
        **more,
    }
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(seed)
    config: Any = getattr(transformers, f"{name}Config")(**settings)
    getattr(transformers, f"{name}ForCausalLM")(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_reference(folder: Path) -> Path:
    """Copy the reference agent's files."""
    import shutil

    from acgym.agents.local import REFERENCE

    shutil.copytree(REFERENCE, folder)
    return folder


def save_rows(path: Path, rows: Sequence[Any]) -> Path:
    """Write token ids as JSON."""
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def main() -> None:
    """Write everything that a benchmark needs."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this checkout
    folder, shape, names = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    save_rows(folder / "calibration.json", windows(trajectories(f",{shape}"), int(shape.split("x")[1])))
    save_rows(folder / "held_out.json", held_out(range(25)))
    for name in names:
        size, _, family = name.partition("-")
        if family:
            save_random(folder / name, family, size)
        else:
            save_reference(folder / name)


if __name__ == "__main__":
    main()
