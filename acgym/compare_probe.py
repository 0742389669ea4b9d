"""What the models of a comparison are probed on: the first agent's tokens, and what its own model says about them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.files import write_whole
from acgym.probe import DenseLogits, Signals, decision_sequences, probe, probe_pair, remember
from acgym.types import Json, canonical_json

if TYPE_CHECKING:
    from acgym.agents.local import LocalAgent
    from acgym.decision_tokens import TokenSequence
    from acgym.record import Run

PROBED_EPISODES = 25
"""Episodes of the first agent in each environment, by rising seed, whose tokens every model is probed on."""
MAX_LOGITS = 1 << 31
"""Bytes that the remembered logits of all environments together may take."""
SIGNALS = "signals.safetensors"


@dataclass(frozen=True)
class Tokens:
    """The first agent's transcripts as token sequences."""

    by_env: Mapping[str, list[TokenSequence]]
    """Environments without a decision token are missing."""
    digest: str
    """SHA-256 of the tokens: signals taken on other tokens are out of date."""

    @classmethod
    def of(cls, run: Run, agent: str) -> Tokens:
        """Collect the tokens of an agent's recorded episodes."""
        by_env: dict[str, list[TokenSequence]] = {}
        rows = sorted(run.episodes(agent), key=lambda episode: (episode.env, episode.seed))
        for env in dict.fromkeys(episode.env for episode in rows):
            chosen = [episode for episode in rows if episode.env == env][:PROBED_EPISODES]
            if sequences := decision_sequences(chosen):
                by_env[env] = sequences
        return cls(by_env, hashlib.sha256(canonical_json(by_env).encode()).hexdigest())

    @property
    def count(self) -> int:
        """Number of decision tokens."""
        return sum(end - start for rows in self.by_env.values() for _, spans in rows for start, end in spans)


@dataclass(frozen=True)
class Yardstick:
    """The first agent's tokens, its vocabulary and its logits; it holds no model."""

    agent: str
    tokens: Tokens
    vocabulary: Mapping[str, int]
    logits: Mapping[str, DenseLogits] | None
    """None where they would take more than MAX_LOGITS: models are then compared with the first one while it lives."""

    @classmethod
    def of(cls, tokens: Tokens, first: LocalAgent) -> Yardstick:
        """Run the first agent's model over its tokens.

        Raises:
            ValueError: if its logits are not finite.
        """
        size = 4 * tokens.count * int(first.model.config.get_text_config().vocab_size)
        logits = None
        if size <= MAX_LOGITS:
            logits = {env: remember(first.model, rows) for env, rows in tokens.by_env.items()}
        return cls(first.name, tokens, first.tokenizer.get_vocab(), logits)

    def measure(self, agent: LocalAgent, first: LocalAgent | None) -> tuple[dict[str, Json], dict[str, Signals]]:
        """Probe a model.

        Args:
            agent: whose model is probed.
            first: the first agent, if its model happens to be alive; needed only where its logits were not kept.

        Returns:
            What ``agent.json`` says under ``signals``, and the signals by environment. Where something could not be
            measured, ``reason`` says why.
        """
        sheet: dict[str, Json] = {"tokens_sha256": self.tokens.digest}
        if agent.tokenizer.get_vocab() != self.vocabulary:
            return {**sheet, "reason": f"its tokens are not those of {self.agent}"}, {}
        if not self.tokens.by_env:
            return {**sheet, "reason": f"{self.agent} finished no episode with tokens to probe on"}, {}
        started = time.perf_counter()
        if self.logits is None and first is None:
            sheet["reason"] = (
                f"not compared with {self.agent}: its logits are too large to keep, and two dense models are never "
                "loaded at once"
            )
        measured: dict[str, Signals] = {}
        for env, rows in self.tokens.by_env.items():
            dense: Any = first.model if self.logits is None and first is not None else (self.logits or {}).get(env)
            try:
                measured[env] = probe(agent.model, rows) if dense is None else probe_pair(dense, agent.model, rows)
            except ValueError as why:  # numbers that are not finite, another vocabulary: said, and not measured
                sheet["reason"] = str(why)
        sheet |= {
            "episodes": PROBED_EPISODES,
            "seconds": time.perf_counter() - started,
            "by_env": {env: signals.to_dict() for env, signals in measured.items()},
        }
        return sheet, measured


def write_signals(measured: Mapping[str, Signals], folder: Path) -> None:
    """Write the arrays of all environments to one file, as ``"ENV/array"``, such as ``"ACB/Needle-v0/energy"``."""
    from safetensors.numpy import save

    arrays = {f"{env}/{name}": array for env, signals in measured.items() for name, array in signals.arrays.items()}
    write_whole(folder / SIGNALS, save(arrays))
