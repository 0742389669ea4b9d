"""Makes the agents of a comparison one after the other, with at most one dense model and one compressed copy alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from acgym.assemble import MODELS, AgentSpec, calibration_for, compressed, local, scripted
from acgym.listener import Listener
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent


@dataclass
class Models:
    """The dense model that was asked for last, and its calibration tokens.

    Whoever holds on to an agent made here keeps its model alive.
    """

    envs: Mapping[str, Mapping[str, Json]]
    """Environment id -> arguments: what a model plays (on the training split) for its own calibration tokens."""
    calibration_text: str | None
    """Text to calibrate on; None for the model's own trajectories."""
    listener: Listener
    _dense: tuple[str, LocalAgent] | None = field(default=None, init=False)
    _calibration: list[list[int]] | None = field(default=None, init=False)
    """Of the dense model that is loaded; forgotten with it."""

    def dense(self, spec: AgentSpec) -> LocalAgent:
        """Return the uncompressed model of a spec; loads it, and lets go of another one, if it is not the last one."""
        name = spec.base.text
        if self._dense is None or self._dense[0] != name:
            self.listener.stage(name, "loading")
            self._dense, self._calibration = None, None  # the old model goes before the new one comes
            self._dense = (name, local(spec.base))
        return self._dense[1]

    def make(self, spec: AgentSpec) -> tuple[Agent, dict[str, Json]]:
        """Make the agent of a spec.

        Returns:
            The agent and what is known of its model: ``facts``, ``bits_per_weight``, ``weight_bytes`` (both as packed
            storage would take) and, of a compressed one, ``compression`` (a CompressionRecord as JSON). Empty for an
            agent without a model.

        Raises:
            ValueError: if the recipe does not fit the model.
        """
        if spec.kind not in MODELS:
            return scripted(spec), {}
        dense = self.dense(spec)
        if spec.recipe is None:
            from acgym.compress.record import DENSE_BITS

            size = sum(parameter.numel() for parameter in dense.model.parameters()) * DENSE_BITS // 8
            return dense, {"facts": dense.facts, "bits_per_weight": float(DENSE_BITS), "weight_bytes": size}
        tokens = self._tokens(spec, dense)
        self.listener.stage(spec.text, "compressing")
        agent, record = compressed(dense, spec, tokens)
        return agent, {
            "facts": agent.facts,
            "bits_per_weight": record.bits_per_weight,
            "weight_bytes": record.weight_bytes,
            "compression": asdict(record),
        }

    def _tokens(self, spec: AgentSpec, dense: LocalAgent) -> list[list[int]]:
        """Return the calibration tokens of a recipe, made once for each dense model; none if it reads none."""
        from acgym.compress.recipe import parse

        if not parse(str(spec.recipe)).needs_calibration:
            return []
        if self._calibration is None:
            self.listener.stage(spec.base.text, "calibrating")
            self._calibration = calibration_for(dense, spec, self.calibration_text, self.envs)
        return self._calibration
