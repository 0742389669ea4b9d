"""Makes the agents of a run one after the other, with at most one dense model and one compressed copy alive.

What a model played for its calibration stays in the run's folder, so that nobody lets it play for that again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from acgym.agents.decoding import Decoding
from acgym.assemble.folder import fingerprint
from acgym.assemble.make import calibration_of, compressed, local, remote, rerun, scripted
from acgym.assemble.spec import GIVEN, MODELS, REMOTE, RERUN, AgentSpec, parse_spec
from acgym.calibrate.files import check_files
from acgym.calibrate.sample import Drawn, digest_of, draw
from acgym.calibrate.spec import Calibration, parse_calibration
from acgym.listener import Listener
from acgym.machine import machine
from acgym.record.run import Run
from acgym.types import Json, canonical_json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent


@dataclass
class Models:
    """The dense model that was asked for last, and its calibration tokens.

    Whoever holds on to an agent made here keeps its model alive. Make it with :meth:`of`.
    """

    envs: Mapping[str, Mapping[str, Json]]
    """Environment id -> arguments: what a model plays (on the training split) for its own calibration tokens."""
    calibration: Calibration
    """What recipes are calibrated on whose specs do not say it."""
    specs: Sequence[AgentSpec]
    """All agents that will be asked for."""
    listener: Listener
    tool_format: str | None = None
    """As :func:`acgym.assemble.make.local` takes it."""
    decoding: Decoding = field(default_factory=Decoding)
    """Of all models."""
    run: Run | None = None
    """Where calibration tokens are kept that a model had to play for."""
    given: Mapping[str, Agent] = field(default_factory=dict)
    """Spec (``python:NAME``) -> the agent that a script handed over."""
    _dense: tuple[str, LocalAgent] | None = field(default=None, init=False)
    _drawn: dict[Calibration, Drawn] = field(default_factory=dict, init=False)
    """Of the dense model that is loaded; forgotten with it."""
    _copy: tuple[str, LocalAgent, dict[str, Json]] | None = field(default=None, init=False)
    """The compressed copy that was made last: an agent that is played in batches is not compressed for each."""

    @classmethod
    def of(
        cls,
        settings: Mapping[str, Json],
        listener: Listener,
        run: Run | None = None,
        given: Mapping[str, Agent] | None = None,
    ) -> Models:
        """Prepare to make the agents of a run.

        Args:
            settings: of the run, as :meth:`acgym.experiment.settings.Settings.to_dict` writes them.
            listener: hears of progress.
            run: the run itself, where its calibration tokens are kept; None to keep them nowhere.
            given: see :attr:`given`.

        Raises:
            FileNotFoundError, ValueError: if a calibration file is missing, or is not the one that the settings name.
        """
        default = parse_calibration(settings["calibration"])
        specs = [parse_spec(name) for name in settings["agents"]]
        known = settings.get("calibration_files", {})
        used = dict.fromkeys([default, *(calibration_of(spec, default) for spec in specs)])
        for path, digest in check_files(*(each for each in used if each is not None)).items():
            if known.get(path) != digest:
                raise ValueError(f"{path!r} is not the calibration file that the run was made with; it was changed")
        decoding = Decoding.from_dict(settings.get("decoding", {}))
        if any(spec.kind in MODELS for spec in specs):
            import_module("torch")  # it will be needed, and a run's manifest names what is loaded
        handed = dict(given or {})
        return cls(settings["envs"], default, specs, listener, settings.get("tool_format"), decoding, run, handed)

    def here(self, spec: AgentSpec) -> bool:
        """Say whether an agent's model is in this process, so that it can be looked into."""
        if spec.kind != GIVEN or spec.text not in self.given:
            return spec.kind in MODELS
        from acgym.agents.local import LocalAgent

        return isinstance(self.given[spec.text], LocalAgent)

    def dense(self, spec: AgentSpec) -> LocalAgent:
        """Return the uncompressed model of a spec; loads it, and lets go of another one, if it is not the last one."""
        name = spec.base.text
        if self._dense is None or self._dense[0] != name:
            self.listener.stage(name, "loading")
            self._dense, self._drawn, self._copy = None, {}, None  # the old go before the new one comes
            self._dense = (name, local(spec.base, self.tool_format, self.decoding))
            for other in self.specs:  # a file that is too short is found out now, not after hours of play
                used = calibration_of(other, self.calibration)
                if other.base.text == name and used is not None and all(source.path for source in used.sources):
                    self._draw(used, self._dense[1])
        return self._dense[1]

    def make(self, spec: AgentSpec) -> tuple[Agent, dict[str, Json]]:
        """Make the agent of a spec.

        Returns:
            The agent and what is known of its model: ``facts``, ``machine`` (where it plays), ``bits_per_weight``,
            ``weight_bytes`` (both as packed storage would take) and, of a compressed one, ``compression`` (a
            CompressionRecord as JSON) and ``calibration`` (:attr:`acgym.calibrate.sample.Drawn.facts`; None if its
            recipe reads none). Empty for an agent without a model; ``facts`` alone for one whose model runs elsewhere.
            A re-run has ``rerun``, what it does otherwise.

        Raises:
            ValueError: if the recipe does not fit the model, a server refuses, or an agent of a script is not there.
            ConnectionError: if a server does not answer.
        """
        if spec.kind in REMOTE:
            self.listener.stage(spec.text, "connecting" if spec.kind == "openai" else "loading")
            return remote(spec, self.decoding, self.tool_format)
        if spec.kind == GIVEN:
            return self._handed(spec)
        if spec.kind not in MODELS:
            return scripted(spec), {}
        agent, facts = self._model(spec)
        if not spec.rerun:
            return agent, facts
        again = rerun(agent, spec)
        otherwise = {"max_batch": again.max_batch, "max_batch_before": agent.max_batch}
        if not again.decoding.greedy:
            otherwise["sampling_seed"] = again.decoding.seed
        return again, {**facts, "rerun": otherwise}

    def _handed(self, spec: AgentSpec) -> tuple[Agent, dict[str, Json]]:
        """Return the agent that a script handed over, and what it says of itself."""
        if spec.text not in self.given:
            raise ValueError(
                f"{spec.text!r} is an agent of the script that made the run, and is not here; call acgym.compare with "
                "it and out= the run's folder, in that script"
            )
        agent = self.given[spec.text]
        facts = {"class": type(agent).__name__, **getattr(agent, "facts", {})}
        return agent, {"facts": facts, "machine": machine()}

    def _model(self, spec: AgentSpec) -> tuple[LocalAgent, dict[str, Json]]:
        """Make the agent of a model, compressed or not."""
        dense = self.dense(spec)
        if spec.recipe is None:
            from acgym.compress.walk.record import DENSE_BITS

            size = sum(parameter.numel() for parameter in dense.model.parameters()) * DENSE_BITS // 8
            stored = {"bits_per_weight": float(DENSE_BITS), "weight_bytes": size}
            stored |= {key: dense.checkpoint[key] for key in stored if key in dense.checkpoint}  # of a packed one
            return dense, {"facts": dense.facts, "machine": machine(), **stored}
        name = spec.text.removesuffix(RERUN)
        if self._copy is not None and self._copy[0] == name:
            return self._copy[1:]
        self._copy = None  # at most one copy at a time
        used = calibration_of(spec, self.calibration)
        drawn = None if used is None else self._draw(used, dense)
        tokens: list[list[int]] = [] if drawn is None else drawn.sequences
        self.listener.stage(spec.text, "compressing")
        agent, record = compressed(dense, spec, tokens)
        facts = {
            "facts": agent.facts,
            "machine": machine(),
            "bits_per_weight": record.bits_per_weight,
            "weight_bytes": record.weight_bytes,
            "compression": asdict(record),
            "calibration": None if drawn is None else drawn.facts,
        }
        self._copy = (name, agent, facts)
        return agent, facts

    def _draw(self, calibration: Calibration, dense: LocalAgent) -> Drawn:
        """Return the calibration tokens of a dense model, made once for the whole run."""
        if calibration not in self._drawn:
            known = None if self.run is None else kept(self.run, dense.name, calibration)
            if known is None:
                self.listener.stage(dense.name, "calibrating")
                known = draw(calibration, dense, self.envs)
                if self.run is not None:
                    keep(self.run, dense.name, calibration, known)
            self._drawn[calibration] = known
        return self._drawn[calibration]


class RunModels:
    """Makes agents as a run made them, one model at a time."""

    def __init__(self, run: Run, listener: Listener) -> None:
        self.run = run
        self.models = Models.of(run.settings, listener, run)

    def make(self, name: str) -> Agent:
        """Make the agent of a spec.

        Raises:
            ValueError: if its model files are not those that the run was made with.
        """
        self.refuse_other_files(name)
        return self.models.make(parse_spec(name))[0]

    def dense_beside(self, name: str, agent: LocalAgent) -> LocalAgent | None:
        """Return the run's first agent where it costs no second model beside another one's; None if it would."""
        first, spec = parse_spec(self.run.settings["agents"][0]), parse_spec(name)
        if spec.text == first.text:
            return agent
        return self.models.dense(first) if first.recipe is None and spec.base.text == first.text else None

    def refuse_other_files(self, name: str) -> None:
        """Raise a ValueError if an agent's model files are not those that the run was made with."""
        spec = parse_spec(name)
        if self.run.settings["models"].get(spec.base.text) != fingerprint(spec):
            raise ValueError(f"the model files of {spec.base.text} are not those that the run was made with")


def keep(run: Run, model: str, calibration: Calibration, drawn: Drawn) -> None:
    """Write down what :func:`acgym.calibrate.sample.draw` made, if the model had to play for it.

    Other workers of the run find it there, and so do later commands. Texts and conversations are read anew instead:
    that takes no time.

    Args:
        run: whose settings say in which environments the model played.
        model: the spec of the dense model.
        calibration: what it was drawn for.
        drawn: what came of it.

    Raises:
        OSError: if it cannot be written.
    """
    if any(source.kind == "trajectories" for source in calibration.sources):
        run.write_json(_file(model, calibration), {"model": model, **drawn._asdict()})


def kept(run: Run, model: str, calibration: Calibration) -> Drawn | None:
    """Return what :func:`keep` wrote for the same model and calibration; None if it is not there, or not as it was."""
    try:
        found: Json = run.read_json(_file(model, calibration))
        sequences, facts = found["sequences"], found["facts"]
        whole = all(type(token) is int and token >= 0 for ids in sequences for token in ids)
        right = whole and facts["calibration"] == str(calibration) and facts["tokens_sha256"] == digest_of(sequences)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return Drawn(sequences, facts) if right else None


def _file(model: str, calibration: Calibration) -> str:
    digest = hashlib.sha256(canonical_json([model, str(calibration), calibration.seed or 0]).encode()).hexdigest()
    return f"calibration-{digest[:12]}.json"
