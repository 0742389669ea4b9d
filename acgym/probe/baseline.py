"""What the models of a comparison are probed on: the first agent's tokens, and what its own model says about them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from acgym.files import write_whole
from acgym.probe.episodes import along_episodes
from acgym.probe.run import DenseLogits, Signals, probe, probe_pair, remember
from acgym.record.run import SIGNALS
from acgym.record.tokens import Place, placed_sequences
from acgym.types import Json, canonical_json

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

    from acgym.agents.local import LocalAgent
    from acgym.probe.forward import Layers
    from acgym.record.run import Run
    from acgym.record.tokens import TokenSequence

PROBED_EPISODES = 25
"""Episodes of the first agent in each environment, by rising seed, whose tokens every model is probed on."""
MAX_LOGITS = 1 << 31
"""Bytes that the remembered logits of all environments together may take."""
WIDE = 1024
"""Width of a model up to which ERank is measured behind every decoder layer; behind SOME_LAYERS, evenly spaced, of
wider ones, where an eigenvalue decomposition takes seconds."""
SOME_LAYERS = 8


@dataclass(frozen=True)
class Tokens:
    """The first agent's transcripts as token sequences."""

    by_env: Mapping[str, list[TokenSequence]]
    """Environments without a decision token are missing."""
    digest: str
    """SHA-256 of the tokens: signals taken on other tokens are out of date."""
    places: Mapping[str, list[Place]] = field(default_factory=dict)
    """Which episode and turns each sequence is of."""

    @classmethod
    def of(cls, run: Run, agent: str, observations: bool = False) -> Tokens:
        """Collect the tokens of an agent's recorded episodes: those it generated, or those it was told."""
        by_env: dict[str, list[TokenSequence]] = {}
        places: dict[str, list[Place]] = {}
        rows = sorted(run.episodes(agent), key=lambda episode: (episode.env, episode.seed))
        for env in dict.fromkeys(episode.env for episode in rows):
            chosen = [episode for episode in rows if episode.env == env][:PROBED_EPISODES]
            sequences, where = placed_sequences(chosen, observations)
            if sequences:
                by_env[env], places[env] = sequences, where
        return cls(by_env, hashlib.sha256(canonical_json(by_env).encode()).hexdigest(), places)

    @property
    def count(self) -> int:
        """Number of decision tokens."""
        return sum(end - start for rows in self.by_env.values() for _, spans in rows for start, end in spans)


@dataclass(frozen=True)
class Baseline:
    """The first agent's tokens, its vocabulary and its logits; it holds no model."""

    agent: str
    tokens: Tokens
    vocabulary: Mapping[str, int]
    logits: Mapping[str, DenseLogits] | None
    """None where they would take more than MAX_LOGITS: models are then compared with the first one while it lives."""
    own: Mapping[str, Signals]
    """The first agent's signals, compared with itself."""
    layers: Layers | None = None
    """As :func:`acgym.probe.run.probe` takes them; None for each model's :func:`layers_to_watch`."""
    temperature: float = 1.0
    """T of the energy."""

    @classmethod
    def of(cls, tokens: Tokens, first: LocalAgent, layers: Layers | None = None, temperature: float = 1.0) -> Baseline:
        """Run the first agent's model over its tokens.

        Raises:
            ValueError: if its logits are not finite.
        """
        model, watched = first.model, layers_to_watch(first.model.config) if layers is None else layers
        vocabulary = first.tokenizer.get_vocab()
        size = 4 * tokens.count * int(model.config.get_text_config().vocab_size)
        if size <= MAX_LOGITS:
            logits = {
                env: remember(model, rows, layers=watched, temperature=temperature)
                for env, rows in tokens.by_env.items()
            }
            own = {env: kept.signals for env, kept in logits.items()}
            return cls(first.name, tokens, vocabulary, logits, own, layers, temperature)
        own = {
            env: probe_pair(model, model, rows, layers=watched, temperature=temperature)
            for env, rows in tokens.by_env.items()
        }
        return cls(first.name, tokens, vocabulary, None, own, layers, temperature)

    def measure(self, agent: LocalAgent, first: LocalAgent | None) -> tuple[dict[str, Json], dict[str, Signals]]:
        """Probe a model.

        Args:
            agent: whose model is probed.
            first: the first agent, if its model happens to be alive; needed only where its logits were not kept.

        Returns:
            What ``agent.json`` says under ``signals``, and the signals by environment, with the arrays of
            :func:`acgym.probe.episodes.along_episodes` beside their own. Where something could not be measured,
            ``reason`` says why.
        """
        sheet: dict[str, Json] = {"tokens_sha256": self.tokens.digest}
        if agent.tokenizer.get_vocab() != self.vocabulary:
            return {**sheet, "reason": f"its tokens are not those of {self.agent}"}, {}
        if not self.tokens.by_env:
            return {**sheet, "reason": f"{self.agent} finished no episode with tokens to probe on"}, {}
        started = time.perf_counter()
        measured: dict[str, Signals] = {}
        reasons: dict[str, list[str]] = {}
        for env in self.tokens.by_env:
            try:
                measured[env] = self._along(env, self._signals(env, agent, first))
            except ValueError as why:  # numbers that are not finite, another vocabulary: said, and not measured
                reasons.setdefault(str(why), []).append(env)
        said = [f"{why} ({', '.join(envs)})" for why, envs in reasons.items()]
        if any(signals.kl is None for signals in measured.values()):
            said.append(
                f"not compared with {self.agent}: its logits are too large to keep, and two dense models are never "
                "loaded at once"
            )
        sheet |= {"reason": "; ".join(said)} if said else {}
        sheet |= {
            "episodes": PROBED_EPISODES,
            "seconds": time.perf_counter() - started,
            "by_env": {env: signals.to_dict() for env, signals in measured.items()},
        }
        return sheet, measured

    def _signals(self, env: str, agent: LocalAgent, first: LocalAgent | None) -> Signals:
        """Measure a model in one environment, compared with the first one if that can be."""
        if agent.name == self.agent:
            return self.own[env]
        rows, layers = (
            self.tokens.by_env[env],
            layers_to_watch(agent.model.config) if self.layers is None else self.layers,
        )
        if self.logits is not None:
            return probe_pair(self.logits[env], agent.model, rows, layers=layers, temperature=self.temperature)
        if first is not None:
            return probe_pair(first.model, agent.model, rows, layers=layers, temperature=self.temperature)
        return probe(agent.model, rows, layers=layers, temperature=self.temperature)

    def _along(self, env: str, signals: Signals) -> Signals:
        more = along_episodes(signals.arrays, self.tokens.by_env[env], self.tokens.places[env], self.own[env].arrays)
        return replace(signals, arrays={**signals.arrays, **more})


def layers_to_watch(whole: PretrainedConfig) -> Layers:
    """Return the decoder layers behind which ERank is measured: all of a narrow model, some of a wide one."""
    config = whole.get_text_config()
    if config.hidden_size <= WIDE:
        return "all"
    depth = int(config.num_hidden_layers)
    return sorted({max(1, round(depth * part / SOME_LAYERS)) for part in range(1, SOME_LAYERS + 1)})


class Probed(Protocol):
    """An agent whose model can be looked into."""

    @property
    def name(self) -> str:
        """Return the name by which the run knows it."""

    @property
    def model(self) -> PreTrainedModel:
        """Return its model."""


def probe_own(
    agent: Probed, run: Run, *, observations: bool = False, layers: Layers | None = None, temperature: float = 1.0
) -> dict[str, Signals]:
    """Probe a model along its own recorded episodes: each environment's first 25 by seed.

    Nothing is compared: along their own episodes, agents read different texts, and n differs. Effective ranks of
    different agents must not be set beside each other then.

    Args:
        agent: the agent, by the name under which the run knows it.
        run: holds its episodes.
        observations: probe the tokens that it was told and not those that it generated.
        layers: see :func:`acgym.probe.run.probe`; None for :func:`layers_to_watch`.
        temperature: T of the energy.

    Returns:
        The signals by environment; those without such a token are missing. :func:`write_signals` keeps them.

    Raises:
        ValueError: as :func:`acgym.probe.run.probe`.
    """
    tokens = Tokens.of(run, agent.name, observations)
    watched = layers_to_watch(agent.model.config) if layers is None else layers
    found = {}
    for env, rows in tokens.by_env.items():
        signals = probe(agent.model, rows, layers=watched, temperature=temperature)
        more = along_episodes(signals.arrays, rows, tokens.places[env])
        found[env] = replace(signals, arrays={**signals.arrays, **more})
    return found


def write_signals(measured: Mapping[str, Signals], folder: Path, name: str = SIGNALS) -> None:
    """Write the arrays of all environments to one file, as ``"ENV/array"``, such as ``"ACB/Needle-v0/energy"``."""
    from safetensors.numpy import save

    arrays = {f"{env}/{name}": array for env, signals in measured.items() for name, array in signals.arrays.items()}
    write_whole(folder / name, save(arrays))
