"""Looks into the models of a finished run again: along each agent's own episodes, or with other layers and temperature.

What ``acgym compare`` measured stays as it is. An agent's folder gets two files more, a sheet of numbers and the arrays
of :func:`acgym.probe.episodes.along_episodes`; ``NAME`` says which tokens: ``signals-own`` or ``signals-dense``, and
``-told`` behind it for those that the agent was told.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from acgym.analysis.probe_result import ProbedAgent, ProbeOptions, ProbeResult
from acgym.assemble.models import RunModels
from acgym.assemble.spec import MODELS, AgentSpec, parse_spec
from acgym.listener import Listener
from acgym.probe.baseline import PROBED_EPISODES, Baseline, Probed, Tokens, layers_to_watch, probe_own, write_signals
from acgym.record.run import Run
from acgym.record.sheet import SignalSheet
from acgym.typed import from_json
from acgym.types import Json

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from acgym.agents.local import LocalAgent
    from acgym.probe.forward import Layers
    from acgym.probe.signals import Signals


def probe_run(run: Run, names: Sequence[str], options: ProbeOptions, listener: Listener | None = None) -> ProbeResult:
    """Measure agents of a run; those that were measured so already, on the same tokens, are not measured again.

    Args:
        run: a finished run.
        names: agents as the run names them; empty for all.
        options: what to measure.
        listener: hears of progress.

    Raises:
        ValueError: if the run has no such agent, or a model's files are not those that it was made with; for a layer
            that a model has not, or a temperature that is not above 0.
    """
    known = list(run.settings["agents"])
    for name in names:
        if name not in known:
            raise ValueError(f"the run has no agent {name!r}; it has {', '.join(known)}")
    if not options.temperature > 0:
        raise ValueError(f"the temperature must be above 0, got {options.temperature}")
    session = _Session(run, options, RunModels(run, listener or Listener()), listener or Listener())
    agents = tuple(ProbedAgent(name, session.sheet(name)) for name in names or known)
    return ProbeResult(known[0], tuple(run.settings["envs"]), options, agents)


@dataclass(frozen=True)
class InVllm:
    """A model that vLLM runs, and the agent whose it is."""

    name: str
    model: PreTrainedModel


class _Session:
    """One probe of a run's agents, one after the other."""

    def __init__(self, run: Run, options: ProbeOptions, models: RunModels, listener: Listener) -> None:
        self.run = run
        self.options = options
        self.models = models
        self.listener = listener
        self.first: str = run.settings["agents"][0]
        self._baseline: Baseline | None = None

    def sheet(self, name: str) -> SignalSheet:
        """Return an agent's sheet, from the disk if it is there and of the same tokens."""
        tokens = Tokens.of(self.run, name if self.options.own else self.first, self.options.told)
        head = {"tokens_sha256": tokens.digest, **self.options.to_json()}
        file = f"{self.options.name}.json"
        known: dict[str, Json] = self.run.read_json(file, name) or {}
        if all(known.get(key) == value for key, value in head.items()) and known:
            return from_json(SignalSheet, known, f"{name}: {file}")
        row, measured = self._measured(name, tokens)
        row = {**head, **row}
        write_signals(measured, self.run.folder(name), f"{self.options.name}.safetensors")
        self.run.write_json(file, row, name)
        return from_json(SignalSheet, row, f"{name}: {file}")

    def _measured(self, name: str, tokens: Tokens) -> tuple[dict[str, Json], dict[str, Signals]]:
        spec = parse_spec(name)
        in_vllm = spec.kind == "vllm"
        if spec.kind not in MODELS and not (in_vllm and self.options.own):
            more = ", but 'acgym probe RUN --own' looks into it" if in_vllm else ""
            return {"reason": f"it has no model here{more}"}, {}
        if not tokens.by_env:
            return {"reason": "no finished episode has such tokens"}, {}
        if in_vllm:
            return self._own_in_vllm(spec)
        if self.options.own:
            return self._own(name)
        if parse_spec(self.first).kind not in MODELS:
            return {"reason": f"{self.first} has no model here to compare with"}, {}
        baseline = self._against(tokens)
        agent = cast("LocalAgent", self.models.make(name))
        self.listener.stage(name, "probing")
        return baseline.measure(agent, self.models.dense_beside(name, agent))

    def _own_in_vllm(self, spec: AgentSpec) -> tuple[dict[str, Json], dict[str, Signals]]:
        """Probe a model that vLLM holds; it is loaded anew, so that it hands over what is inside."""
        from transformers import AutoConfig

        from acgym.agents.vllm import parse_engine
        from acgym.probe.vllm import in_vllm

        self.models.refuse_other_files(spec.text)
        engine = parse_engine(str(spec.source))
        folder = Path(engine.model).expanduser()
        if not folder.is_dir():
            return {"reason": "it is named by its hub id; name its folder to have vLLM hand over what is inside"}, {}
        layers: Layers | None = self.options.layers
        if layers is None:
            layers = layers_to_watch(AutoConfig.from_pretrained(folder, trust_remote_code=False))
        self.listener.stage(spec.text, "loading")
        with in_vllm(folder, layers, tensor_parallel=engine.tensor_parallel, context=engine.context) as model:
            return self._along_own(InVllm(spec.text, model), layers)

    def _own(self, name: str) -> tuple[dict[str, Json], dict[str, Signals]]:
        return self._along_own(cast("LocalAgent", self.models.make(name)), self.options.layers)

    def _along_own(self, agent: Probed, layers: Layers | None) -> tuple[dict[str, Json], dict[str, Signals]]:
        self.listener.stage(agent.name, "probing")
        started = time.perf_counter()
        options = self.options
        measured = probe_own(agent, self.run, observations=options.told, layers=layers, temperature=options.temperature)
        sheet: dict[str, Json] = {"episodes": PROBED_EPISODES, "seconds": time.perf_counter() - started}
        return {**sheet, "by_env": {env: signals.to_dict() for env, signals in measured.items()}}, measured

    def _against(self, tokens: Tokens) -> Baseline:
        """Return what the others are measured against; the first agent's model is loaded for it once."""
        if self._baseline is None:
            first = cast("LocalAgent", self.models.make(self.first))
            self.listener.stage(self.first, "probing")
            self._baseline = Baseline.of(tokens, first, self.options.layers, self.options.temperature)
        return self._baseline
