"""What a comparison is to do, checked to the last word before any model is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path

from acgym.agents.shots import check_shots, examples
from acgym.assemble.fit import check_fits
from acgym.assemble.folder import fingerprint
from acgym.assemble.make import calibration_of, check_decoding, check_format
from acgym.assemble.spec import GIVEN, MODELS, RERUN, AgentSpec, model_folder, parse_spec
from acgym.calibrate.files import check_files, read_calibration
from acgym.experiment.environments import check_playable, chosen_environments, import_named, modules_of
from acgym.record.run import folder_name
from acgym.suites import Entry
from acgym.types import Json, canonical_json

DEFAULT_AGENTS = (
    "reference",
    "reference+rtn-w8",
    "reference+gptq-w4",
    "reference+gptq-w3",
    "reference+rtn-w3",
    "reference+rtn-w2",
    "reference+magnitude-50",
    "reference+wanda-50",
    "reference+wanda-2:4",
)
DEFAULT_EPISODES = 100
MOST_EPISODES = 5000
"""Default upper bound of a comparison that stops by itself."""
SEEDS_APART = 1_000_000
"""Seed s of a run plays the episode seeds from s * SEEDS_APART on: runs with different seeds share no episode."""


@dataclass(frozen=True)
class Settings:
    """Everything that decides the numbers of a comparison; a run with the same settings is the same run."""

    agents: tuple[str, ...]
    """Canonical specs; the first is the one that the others are compared with."""
    envs: Mapping[str, Mapping[str, Json]]
    """Environment id (with its version, without a module) -> arguments of ``gym.make``."""
    modules: tuple[str, ...]
    """Modules that register some of the environments or methods; acgym itself is not among them."""
    episodes: int
    """Episodes of each agent in each environment, from 1 to SEEDS_APART."""
    seed: int
    calibration: str
    """Canonical spec of what recipes are calibrated on, where an agent's own spec does not say it."""
    models: Mapping[str, str | None]
    """Uncompressed model's spec -> :func:`acgym.assemble.folder.fingerprint` of its files."""
    until: float | None = None
    """Half-width at which an interval is narrow enough: agents are then played in batches until nothing is open, at
    most ``episodes`` (:mod:`acgym.analysis.until`). None to play all episodes."""
    calibration_files: Mapping[str, str] = field(default_factory=dict)
    """Path of each calibration file -> SHA-256 of as much of it as can be needed."""
    episode_seconds: float | None = None
    """Wall-clock seconds that one episode may take; one over it has failed. None for no limit."""
    tool_format: str | None = None
    """Name of the format in which all models write tool calls; None to tell it from each one's chat template."""
    decoding: Mapping[str, Json] = field(default_factory=dict)
    """What differs from greedy decoding, see :meth:`acgym.agents.decoding.Decoding.to_dict`."""
    suite: str | None = None
    """The suite that named the environments, without its module; None where ids did, and for the default."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Environment -> its number of rows, where a suite's environment has fewer than ``episodes``: each is then played
    once."""

    shots: int = 0
    """Solved tasks of the training split that agents see in front of every conversation."""
    malformed_limit: int | None = None
    """Equal malformed replies in a row that end an episode; None for no limit."""

    def to_dict(self) -> dict[str, Json]:
        """Return the settings as JSON; what was added later only if it is set, so that runs from before go on."""
        row = {**asdict(self), "agents": list(self.agents), "modules": list(self.modules)}
        later = {"until", "calibration_files", "episode_seconds", "tool_format", "decoding", "suite", "rows"}
        later |= {"shots", "malformed_limit"}
        return {name: value for name, value in row.items() if name not in later or value}

    @classmethod
    def from_dict(cls, row: Mapping[str, Json]) -> Settings:
        """Read what :meth:`to_dict` wrote, such as the settings of a run's manifest.

        Raises:
            TypeError: if it lacks what every run has.
        """
        known = {each.name: row[each.name] for each in fields(cls) if each.name in row}
        return cls(**{**known, "agents": tuple(known["agents"]), "modules": tuple(known["modules"])})

    @property
    def seeds(self) -> range:
        """The episode seeds, the same for all agents."""
        return range(self.seed * SEEDS_APART, self.seed * SEEDS_APART + self.episodes)

    @property
    def total(self) -> int:
        """Episodes of all agents in all environments; at most, where agents stop by themselves."""
        return len(self.agents) * sum(self.rows.get(env, self.episodes) for env in self.envs)

    @cached_property
    def specs(self) -> dict[str, AgentSpec]:
        """The agents' specs, read once: canonical text -> spec, in the order of ``agents``."""
        return {name: parse_spec(name) for name in self.agents}

    @property
    def default_folder(self) -> Path:
        """Where the run goes if no folder is named: the same settings, the same folder."""
        return Path("runs") / f"compare-{hashlib.sha256(canonical_json(self.to_dict()).encode()).hexdigest()[:8]}"


def prepare(
    agents: Sequence[str] = (),
    envs: Sequence[Entry] = (),
    *,
    episodes: int | None = None,
    seed: int = 0,
    level: int | None = None,
    kwargs: Mapping[str, Json] | None = None,
    calibration: str | Path | None = None,
    until: float | None = None,
    noise_floor: bool = False,
    episode_seconds: float | None = None,
    tool_format: str | None = None,
    decoding: Mapping[str, Json] | None = None,
    suite: str | None = None,
    imports: Sequence[str] = (),
    shots: int = 0,
    malformed_limit: int | None = None,
) -> Settings:
    """Check everything a user asked for, before any model is loaded.

    Args:
        agents: agent specs, the dense one first; empty for the default comparison.
        envs: environment ids or short names, ``"module:ID"`` to import the module that registers one; ``(id, kwargs)``
            for one with arguments of its own; empty for those of ``suite``.
        episodes: episodes per environment and agent, 1 to 1,000,000; None for 100, or for at most 5,000 with ``until``.
        seed: 0 or larger; another seed, other episodes.
        level: 1 to 5; None for 1 if the reference agent takes part, else each environment's default.
        kwargs: further arguments of ``gym.make``, for every environment.
        calibration: what recipes are calibrated on, where an agent's spec does not say it: the path of a text file, or
            see :func:`acgym.calibrate.spec.parse_calibration`; None for the models' own trajectories.
        until: stop as soon as every difference in success is known to within this half-width, in (0, 1), or is known
            not to be 0; None to play all episodes.
        noise_floor: let the first agent play once more with another batch size, to see what chance alone changes.
        episode_seconds: wall-clock seconds, more than 0, that one episode may take; None for no limit.
        tool_format: see :attr:`Settings.tool_format`.
        decoding: how models are decoded, by the names in :class:`acgym.agents.decoding.Decoding`; None for greedy.
        suite: name of a group of environments, see :func:`acgym.experiment.environments.chosen_environments`.
        imports: modules that register compression methods or environments; imported first, here and in every worker.
        shots: see :attr:`Settings.shots`; 0 to 16.
        malformed_limit: see :attr:`Settings.malformed_limit`; 2 or more.

    Raises:
        ImportError, ValueError, FileNotFoundError: what is wrong, what was expected, and the nearest valid name.
    """
    modules = tuple(dict.fromkeys([*imports, *modules_of(envs, suite)]))  # of methods or environments
    specs = read_specs(agents or DEFAULT_AGENTS, modules, noise_floor)
    check_fits((spec.recipe, model_folder(spec), spec.base.text) for spec in specs)
    episodes = _checked_episodes(episodes, until, len(specs), episode_seconds)
    check_format(tool_format, specs)
    _check_numbers(seed, shots, malformed_limit)
    defaults = {name: value for spec in specs for name, value in spec.defaults.items()}
    default = read_calibration(calibration)
    used = dict.fromkeys([default, *(calibration_of(spec, default) for spec in specs)])
    files = check_files(*(each for each in used if each is not None))
    envs = [env if isinstance(env, str) else (env[0], _json_only(dict(env[1]))) for env in envs]
    chosen = chosen_environments(envs, suite, _given(dict(kwargs or {}), level), defaults)
    models = {spec.base.text: fingerprint(spec) for spec in specs if spec.kind in MODELS}
    later = (until, files, episode_seconds, tool_format, check_decoding(decoding, specs).to_dict())
    last = (None if suite is None else suite.rpartition(":")[2], dict[str, int](), shots, malformed_limit)
    names = tuple(spec.text for spec in specs)
    return _played(Settings(names, chosen, modules, episodes, seed, str(default), models, *later, *last), specs)


def _played(settings: Settings, specs: Sequence[AgentSpec]) -> Settings:
    """Try each environment once, and note those of a suite that have fewer rows than episodes were asked for."""
    played = {
        env_id: check_playable(env_id, arguments, specs, settings.seeds, cut=settings.suite is not None)
        for env_id, arguments in settings.envs.items()
    }
    for env_id, arguments in settings.envs.items() if settings.shots else ():
        examples(env_id, canonical_json(arguments), settings.shots)  # refuses environments that have none
    return replace(settings, rows={env: count for env, count in played.items() if count < settings.episodes})


def read_specs(agents: Sequence[str], imports: Sequence[str] = (), noise_floor: bool = False) -> list[AgentSpec]:
    """Import what registers methods, then read the agents' specs."""
    for module in imports:
        import_named(module)
    specs = [parse_spec(text) for text in agents]
    if noise_floor and specs[0].kind == GIVEN:
        raise ValueError(f"{specs[0].text!r} is an agent of a script, which cannot be told to play in other batches")
    if noise_floor:
        specs.insert(1, parse_spec(specs[0].text + RERUN))
    _check_names([spec.text for spec in specs])
    return specs


def _check_names(names: Sequence[str]) -> None:
    """Refuse names that cannot be folders of one run."""
    for name in names:
        folder_name(name)  # refuses a name that no folder can have
        if names.count(name) > 1:
            raise ValueError(f"the agent {name!r} is named twice; a run plays each agent once")


def _checked_episodes(episodes: int | None, until: float | None, agents: int, seconds: float | None) -> int:
    """Return the number of episodes asked for, or the default."""
    if seconds is not None and not 0 < seconds < float("inf"):
        raise ValueError(f"an episode's time must be more than 0 seconds, got {seconds}")
    if until is not None and not 0 < until < 1:
        raise ValueError(f"until is the half-width of an interval between 0 and 1, such as 0.02, got {until}")
    if until is not None and agents < 2:
        raise ValueError("until stops when a difference is known; name a second agent to compare the first one with")
    if episodes is None:
        return DEFAULT_EPISODES if until is None else MOST_EPISODES
    if not 1 <= episodes <= SEEDS_APART:
        raise ValueError(f"episodes must be from 1 to {SEEDS_APART:,}, got {episodes}")
    return episodes


def _check_numbers(seed: int, shots: int, malformed_limit: int | None) -> None:
    """Refuse numbers outside their ranges."""
    if seed < 0:
        raise ValueError(f"the seed must be 0 or larger, got {seed}")
    if malformed_limit is not None and malformed_limit < 2:
        raise ValueError(f"the limit of equal malformed replies must be 2 or more, got {malformed_limit}")
    check_shots(shots)


def _given(kwargs: dict[str, Json], level: int | None) -> dict[str, Json]:
    """Return the environment arguments that were asked for, the level among them."""
    if level is not None and kwargs.get("level", level) != level:
        raise ValueError(f"the level is given twice: {level} and {kwargs['level']}; keep one")
    return {**_json_only(kwargs), **({} if level is None else {"level": level})}


def _json_only(kwargs: dict[str, Json]) -> dict[str, Json]:
    """Return the arguments as a record will hold them, or refuse what no record can hold."""
    try:
        read_back: dict[str, Json] = json.loads(json.dumps(kwargs, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"environment arguments must be JSON, so that a record can hold them: {error}") from None
    return read_back
