"""Repeated sampling: every agent plays every episode several times, each time with another sampling seed; resumable.

A run of repeats is a folder of ordinary runs, ``sample-1``, ``sample-2``, ...: each can be looked at, replayed and
exported like any other. What they say together goes into ``repeats.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from acgym.agents.decoding import Decoding
from acgym.analysis.repeated import repeated_difference, repeated_episodes
from acgym.analysis.repeats_result import REPEATS, VERSION, RepeatedAgent, RepeatsResult
from acgym.analysis.result import POOLED, RunSettings
from acgym.assemble.make import remote
from acgym.assemble.models import Models
from acgym.assemble.spec import MODELS, REMOTE, AgentSpec
from acgym.experiment.job import AgentJob, episodes_left
from acgym.experiment.settings import Settings
from acgym.listener import Listener
from acgym.record.lines import RunExists
from acgym.record.manifest import MANIFEST
from acgym.record.run import Run
from acgym.record.sheet import Sheet
from acgym.typed import from_json
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent
    from acgym.record.episode import Episode

MOST_SAMPLES = 1000


def run_repeats(settings: Settings, folder: Path, samples: int, listener: Listener | None = None) -> RepeatsResult:
    """Play every episode ``samples`` times and return what ``repeats.json`` in ``folder`` then holds.

    Sample i is drawn with the settings' sampling seed plus i, so it differs from the others and is the same whenever it
    is played. A run that was interrupted goes on where it stopped; one with more samples than before adds them. A
    model is loaded and compressed once for all samples.

    Args:
        settings: from :func:`acgym.experiment.settings.prepare`, with a temperature above 0, models alone, no
            ``until``.
        folder: of the run, new or of the same settings.
        samples: tries of each episode, from 2 to 1,000.
        listener: hears of progress.

    Raises:
        ValueError: if the settings are of another kind, or a recipe does not fit its model.
        RunExists: if the folder holds runs with other settings.
        RecordNotWritten, OSError: if the disk is full; all finished episodes stay readable.
    """
    check_repeats(settings, samples)
    if (folder / MANIFEST).exists():
        raise RunExists(f"{folder} holds a run that was played once; choose another --out")
    each = [sampled_settings(settings, i) for i in range(samples)]
    for module in settings.modules:
        import_module(module)
    with ExitStack() as stack:
        runs = [stack.enter_context(Run.open(folder / f"sample-{i}", one.to_dict())) for i, one in enumerate(each, 1)]
        heard = _Samples(listener or Listener(), samples)
        models = Models.of(settings.to_dict(), heard)
        for spec in settings.specs.values():
            _play(spec, each, runs, models, heard)
        result = repeats_result(settings, runs)
    Run(folder, settings.to_dict()).write_json(REPEATS, result.to_json())
    return result


def check_repeats(settings: Settings, samples: int) -> None:
    """Refuse settings that cannot be sampled repeatedly, see :func:`run_repeats`."""
    if not 2 <= samples <= MOST_SAMPLES:
        raise ValueError(f"samples must be from 2 to {MOST_SAMPLES:,}, got {samples}")
    if Decoding.from_dict(settings.decoding).greedy:
        raise ValueError("repeated sampling needs a temperature above 0: greedy replies are the same each time")
    for name, spec in settings.specs.items():
        if spec.kind not in (*MODELS, *REMOTE):
            raise ValueError(f"repeated sampling is for models; {name!r} plays the same each time")
    if settings.until is not None:
        raise ValueError("repeated sampling plays a fixed number of episodes; drop until")


def sampled_settings(settings: Settings, sample: int) -> Settings:
    """Return the settings of one sample, counted from 0: the same but for the sampling seed."""
    decoding = Decoding.from_dict(settings.decoding)
    seeded = replace(decoding, seed=(decoding.seed + sample) % 2**64)
    return replace(settings, decoding=seeded.to_dict())


def ks_of(samples: int) -> list[int]:
    """Return the k that are told: 1, 2, 4, ... and the number of samples itself."""
    return sorted({*(2**i for i in range(samples.bit_length())), samples})


def repeats_result(settings: Settings, runs: Sequence[Run]) -> RepeatsResult:
    """Estimate pass@k and pass^k from the samples, in each environment and over all together."""
    ks = ks_of(len(runs))
    played = {name: [episode for run in runs for episode in run.episodes(name)] for name in settings.agents}
    dense = _by_env(settings, played[settings.agents[0]])
    agents = []
    for name in settings.agents:
        own = _by_env(settings, played[name])
        repeats = {env: {str(k): repeated_episodes(rows, k) for k in ks} for env, rows in own.items()}
        differences = {env: {str(k): repeated_difference(dense[env], rows, k) for k in ks} for env, rows in own.items()}
        agents.append(RepeatedAgent(name, repeats, None if name == settings.agents[0] else differences))
    return RepeatsResult(
        settings=from_json(RunSettings, settings.to_dict(), "the settings"),
        samples=len(runs),
        sampling_seeds=tuple(run.settings["decoding"].get("seed", 0) for run in runs),
        k=tuple(ks),
        dense=settings.agents[0],
        agents=tuple(agents),
        version=VERSION,
    )


def _by_env(settings: Settings, episodes: Sequence[Episode]) -> dict[str, list[Episode]]:
    return {**{env: [e for e in episodes if e.env == env] for env in settings.envs}, POOLED: list(episodes)}


def _play(spec: AgentSpec, each: Sequence[Settings], runs: Sequence[Run], models: Models, heard: _Samples) -> None:
    """Play what is left of an agent's samples, one after the other."""
    made: tuple[Agent, Mapping[str, Json]] | None = None
    for number, (settings, run) in enumerate(zip(each, runs, strict=True), start=1):
        heard.number = number
        left = episodes_left(settings, run, spec.text, settings.seeds)
        for env, missing in left.items():
            heard.playing(spec.text, env, settings.episodes - len(missing), settings.episodes)
        if not any(left.values()):
            continue
        decoding = Decoding.from_dict(settings.decoding)
        if made is None or spec.kind == "openai":
            made = remote(spec, decoding, models.tool_format) if spec.kind in REMOTE else models.make(spec)
        agent = _seeded(made[0], spec, decoding)
        sheet = Sheet.read(run, spec.text).updated({**made[1], "facts": getattr(agent, "facts", {})})
        AgentJob(settings, run, models).play(spec, agent, left, sheet, settings.episodes)
        run.close()  # a hundred samples would be hundreds of open files


def _seeded(agent: Agent, spec: AgentSpec, decoding: Decoding) -> Agent:
    """Return the agent with another sampling seed; a model is shared and never loaded again."""
    if spec.kind == "openai":
        return agent
    if spec.kind == "vllm":
        agent.decoding = decoding  # type: ignore[attr-defined]
        return agent
    from acgym.agents.local import Loaded

    first = cast("LocalAgent", agent)
    other = first.like(Loaded(first.model, first.tokenizer, first.checkpoint), spec.text)
    other.decoding = replace(decoding, max_new_tokens=first.max_new_tokens)
    return other


class _Samples(Listener):
    """Tells the samples of an agent apart for whoever listens."""

    def __init__(self, listener: Listener, samples: int) -> None:
        self.listener = listener
        self.samples = samples
        self.number = 0

    def stage(self, agent: str, what: str) -> None:
        self.listener.stage(agent, what)

    def playing(self, agent: str, env: str, done: int, total: int) -> None:
        self.listener.playing(agent, f"{env}, sample {self.number} of {self.samples}", done, total)
