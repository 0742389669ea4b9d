"""The commands that make models learn: train, export-chats."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acgym.cli.options import Envs, Import, Suite
from acgym.cli.terminal import find_modules, import_modules, output, plain_errors, say

if TYPE_CHECKING:
    from acgym.train.clone import CloneRecipe
    from acgym.train.clone_run import Pace
    from acgym.train.mix import Part

Levels = Annotated[
    str | None, typer.Option(help="Levels of the environments: 1-3, or 1,3. Default: the environments' own.")
]
Mix = Annotated[
    Path | None,
    typer.Option(
        help="JSON file that says what is learnt from instead of --env, --suite and --levels: "
        '[{"env": "ACB/Needle-v0", "kwargs": {"level": 2, "length": 300}, "share": 2}, ...].'
    ),
]
SMOLLM2_BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""What an adapter of smollm2 names as its base."""

FOR_FROM = "With --from: "
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="A pretrained model to train on: hf:PATH-OR-ID, gguf:FILE, smollm2@plain; with @lora:DIR, to go on with "
        "that adapter; smollm2, to go on with its own. Default: the reference agent, from nothing.",
    ),
]
Method = Annotated[
    str, typer.Option(help=f"{FOR_FROM}lora (a low-rank adapter, in peft's format) or full (all weights).")
]
Rank = Annotated[int, typer.Option(help=f"{FOR_FROM}rank of the adapter, whose alpha is twice that.")]
Rate = Annotated[float | None, typer.Option(help=f"{FOR_FROM}peak learning rate. Default: 1e-3 (lora) or 2e-5 (full).")]
Steps = Annotated[
    int | None,
    typer.Option(
        help="Optimiser steps (the reference agent: before key-value heads are merged). Default: 400, or the recipe's."
    ),
]
TokensPerStep = Annotated[int, typer.Option(help=f"{FOR_FROM}tokens of one step, at least.")]
Longest = Annotated[int, typer.Option(help=f"{FOR_FROM}tokens of the longest conversation.")]
HeldOut = Annotated[int, typer.Option(min=1, help=f"{FOR_FROM}conversations of each part that the curve watches.")]
WatchEvery = Annotated[
    int, typer.Option(min=0, help=f"{FOR_FROM}steps between points of the held-out curve (curve.jsonl); 0 for none.")
]
SaveEvery = Annotated[int, typer.Option(min=1, help=f"{FOR_FROM}steps between checkpoints.")]
TrainSeed = Annotated[int, typer.Option(help=f"{FOR_FROM}chooses the conversations and the adapter's start.")]
StopAt = Annotated[int | None, typer.Option(help="Stop at this step; the same command goes on later.")]


def train(
    out: Annotated[Path, typer.Argument(help="Folder for checkpoints and the finished agent.")],
    start: From = None,
    env: Envs = None,
    suite: Suite = None,
    levels: Levels = None,
    mix: Mix = None,
    method: Method = "lora",
    rank: Rank = 16,
    rate: Rate = None,
    steps: Steps = None,
    tokens_per_step: TokensPerStep = 3000,
    longest: Longest = 2048,
    held_out: HeldOut = 4,
    watch_every: WatchEvery = 100,
    save_every: SaveEvery = 20,
    seed: TrainSeed = 0,
    stop_at: StopAt = None,
    imports: Import = None,
) -> None:
    """Train by behaviour cloning on the oracle's training-split conversations.

    Alone, it trains the reference agent from nothing. With --from it trains a pretrained model through its own chat
    template and tool format, on the environments that --env, --suite, --levels or --mix say. It goes on from the last
    checkpoint in OUT; until the rate falls, --steps may change, and the mix may at any time. OUT/agent holds the newest
    agent: hf:BASE@lora:OUT/agent, or hf:OUT/agent.
    """
    with plain_errors():
        if start is None:
            import_modules(imports or [])
            _reference(out, steps, stop_at)
            return
        from acgym.train.clone import CloneRecipe
        from acgym.train.clone_run import Pace

        if method not in ("lora", "full"):
            raise ValueError(f"--method must be lora or full, got {method!r}")
        find_modules([*(env or []), suite or ""], imports or [])
        recipe = CloneRecipe(
            mix=_parts(env, suite, levels, mix, imports),
            method="lora" if method == "lora" else "full",
            rank=rank,
            alpha=2.0 * rank,
            rate=rate,
            steps=400 if steps is None else steps,
            tokens_per_step=tokens_per_step,
            longest=longest,
            seed=seed,
        )
        _clone(start, recipe, out, Pace(save_every, watch_every, held_out, stop_at))


def _clone(start: str, recipe: CloneRecipe, out: Path, pace: Pace) -> None:
    """Train a pretrained model."""
    from acgym.assemble.make import unmerged
    from acgym.assemble.spec import named_model, parse_spec
    from acgym.train.clone import CloneTrainer
    from acgym.train.clone_run import AGENT, clone

    spec = parse_spec(named_model(start))
    if spec.recipe is not None or spec.rerun:
        raise ValueError(f"--from takes a model as it is, got {start!r}; expected hf:PATH, gguf:FILE or smollm2@plain")
    agent, terms = unmerged(spec, keep=recipe.method == "full")
    trainer = CloneTrainer(agent, recipe, out, terms)
    done = clone(trainer, _base_name(spec.source or SMOLLM2_BASE), typer.echo, pace)
    what = "adapter" if recipe.method == "lora" else "model"
    typer.echo(f"The {'finished' if done else 'unfinished'} {what} is in {out / AGENT}.")


def _base_name(source: str) -> str:
    """Name a base in an adapter's configuration: a hub id as it is, of a path the last part."""
    return Path(source).name if Path(source).expanduser().exists() else source


def _reference(out: Path, steps: int | None, stop_at: int | None) -> None:
    from dataclasses import replace

    from acgym.train.reference import train_reference
    from acgym.train.trainer import TrainingRecipe

    recipe = TrainingRecipe() if steps is None else replace(TrainingRecipe(), steps=steps)
    finished = train_reference(recipe, out, report=typer.echo, stop_at=stop_at)
    if finished is not None:
        finished.export(out / "agent")
        typer.echo(f"The finished agent is in {out / 'agent'}.")


def export_chats(
    out: Annotated[Path, typer.Argument(help="JSONL file to write; one that is there is replaced.")],
    run: Annotated[
        list[Path] | None, typer.Option(help="Folder of a run whose episodes are written. Repeat for several.")
    ] = None,
    agent: Annotated[list[str] | None, typer.Option(help="With --run: only this agent. Repeat for several.")] = None,
    failed: Annotated[bool, typer.Option(help="With --run: also episodes that were not solved.")] = False,
    env: Envs = None,
    suite: Suite = None,
    levels: Levels = None,
    mix: Mix = None,
    conversations: Annotated[int, typer.Option(min=1, help="Demonstrations in all.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the demonstrations.")] = 0,
    in_words: Annotated[
        bool,
        typer.Option(help="Tools and calls in the text, for models whose chat template shows none (such as SmolLM2)."),
    ] = False,
    imports: Import = None,
) -> None:
    """Write conversations as chat JSONL, as TRL's SFT reads them: messages and tools, one conversation a line.

    Without --run: the oracle's demonstrations on the training split of --env, --suite, --levels or --mix. With --run:
    the solved episodes of recorded runs. The lines serve as calibration too: --calibration chats:FILE.
    """
    with plain_errors():
        from acgym.record.run import Run
        from acgym.train.export_chats import demonstrated, recorded, write_chats

        find_modules([*(env or []), suite or ""], imports or [])
        if run:
            runs = [Run.read(folder) for folder in run]
            episodes = [
                e for one in runs for name in one.agents() if not agent or name in agent for e in one.episodes(name)
            ]
            rows = recorded(e for e in episodes if e.outcome == "finished" and (failed or e.success))
        else:
            rows = demonstrated(_parts(env, suite, levels, mix, imports), conversations, seed)
        say(f"{write_chats(rows, out, in_words):,} conversations are in {out}.", output())


def _parts(
    env: list[str] | None, suite: str | None, levels: str | None, mix: Path | None, imports: list[str] | None
) -> tuple[Part, ...]:
    """Read what is learnt from, and refuse what nothing can be learnt from."""
    from acgym.experiment.environments import chosen_environments, known_environment
    from acgym.train.mix import check_mix, plain_mix, read_mix

    import_modules(imports or [])
    if mix is not None and (env or suite or levels):
        raise ValueError("--mix says what is learnt from; drop --env, --suite and --levels")
    if mix is not None:
        try:
            parts = read_mix(json.loads(mix.read_text("utf-8")))
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{mix} is not JSON ({error})") from None
        for part in parts:
            known_environment(part.env, part.kwargs)
    else:
        given: list[dict[str, int]] = [{"level": level} for level in _levels(levels)] or [{}]
        parts = plain_mix([chosen_environments(env or [], suite, {}, one) for one in given])
    check_mix(parts)
    return parts


def _levels(text: str | None) -> list[int]:
    """Read 1-3 or 1,3."""
    if text is None:
        return []
    found = re.fullmatch(r"([1-5])-([1-5])", text.strip())
    numbers = [*range(int(found[1]), int(found[2]) + 1)] if found else [int(one) for one in re.findall(r"[1-5]", text)]
    if not numbers or (not found and re.fullmatch(r"[1-5](,[1-5])*", text.strip()) is None):
        raise ValueError(f"--levels must be such as 1-3 or 1,3 (levels are 1 to 5), got {text!r}")
    return list(dict.fromkeys(numbers))
