"""What a comparison is to do, checked to the last word before any model is loaded."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym

from acgym.assemble.agent import (
    CAPABILITIES,
    MODELS,
    RERUN,
    AgentSpec,
    calibration_of,
    default_kwargs,
    fingerprint,
    parse_spec,
    scripted,
)
from acgym.assemble.remote import REMOTE
from acgym.assemble.replies import check_decoding, check_format
from acgym.calibrate.files import check_files, read_calibration
from acgym.record.run import folder_name
from acgym.rows import refuse_repeats
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
    """Uncompressed model's spec -> :func:`acgym.assemble.agent.fingerprint` of its files."""
    until: float | None = None
    """Half-width at which an interval is narrow enough: agents are then played in batches until nothing is open, at
    most ``episodes`` (:mod:`acgym.analysis.until`). None to play all episodes."""
    calibration_files: Mapping[str, str] = field(default_factory=dict)
    """Path of each calibration file -> SHA-256 of its content."""
    episode_seconds: float | None = None
    """Wall-clock seconds that one episode may take; one over it has failed. None for no limit."""
    tool_format: str | None = None
    """Name of the format in which all models write tool calls; None to tell it from each one's chat template."""
    decoding: Mapping[str, Json] = field(default_factory=dict)
    """What differs from greedy decoding, see :meth:`acgym.agents.decoding.Decoding.to_dict`."""

    def to_dict(self) -> dict[str, Json]:
        """Return the settings as JSON; what was added later only if it is set, so that runs from before go on."""
        row = {**asdict(self), "agents": list(self.agents), "modules": list(self.modules)}
        later = ("until", "calibration_files", "episode_seconds", "tool_format", "decoding")
        return {name: value for name, value in row.items() if name not in later or value}

    @property
    def seeds(self) -> range:
        """The episode seeds, the same for all agents."""
        return range(self.seed * SEEDS_APART, self.seed * SEEDS_APART + self.episodes)

    @property
    def default_folder(self) -> Path:
        """Where the run goes if no folder is named: the same settings, the same folder."""
        return Path("runs") / f"compare-{hashlib.sha256(canonical_json(self.to_dict()).encode()).hexdigest()[:8]}"


def prepare(
    agents: Sequence[str] = (),
    envs: Sequence[str] = (),
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
    imports: Sequence[str] = (),
) -> Settings:
    """Check everything a user asked for, before any model is loaded.

    Args:
        agents: agent specs, the dense one first; empty for the default comparison.
        envs: environment ids, ``"module:ID"`` to import the module that registers one; empty for the first of each
            capability.
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
        imports: modules that register compression methods or environments; imported first, here and in every worker.

    Raises:
        ImportError, ValueError, FileNotFoundError: what is wrong, what was expected, and the nearest valid name.
    """
    for module in imports:
        _import(module)
    specs = [parse_spec(text) for text in (agents or DEFAULT_AGENTS)]
    if noise_floor:
        specs.insert(1, parse_spec(specs[0].text + RERUN))
    names = [spec.text for spec in specs]
    episodes = _checked_episodes(episodes, until, len(names), episode_seconds)
    _check_names(names)
    check_format(tool_format, specs)
    _check_numbers(seed, episode_seconds)
    given = _given(dict(kwargs or {}), level)
    defaults = {name: value for spec in specs for name, value in default_kwargs(spec).items()}
    default = read_calibration(calibration)
    files: dict[str, str] = {}
    for used in dict.fromkeys([default, *(calibration_of(spec, default) for spec in specs)]):
        files |= {} if used is None else check_files(used)
    modules = tuple(dict.fromkeys([*imports, *(env.rpartition(":")[0] for env in envs if ":" in env)]))
    chosen = dict(known_environment(env, given, defaults) for env in envs or CAPABILITIES)
    models = {spec.base.text: fingerprint(spec) for spec in specs if spec.kind in MODELS}
    later = (until, files, episode_seconds, tool_format, check_decoding(decoding, specs).to_dict())
    settings = Settings(tuple(names), chosen, modules, episodes, seed, str(default), models, *later)
    for env_id, arguments in chosen.items():
        _playable(env_id, arguments, specs, settings.seeds)
    return settings


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


def _check_numbers(seed: int, episode_seconds: float | None) -> None:
    """Refuse a seed or a time outside its range."""
    if seed < 0:
        raise ValueError(f"the seed must be 0 or larger, got {seed}")


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


def _import(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise ValueError(
            f"the module {module!r} cannot be imported ({error}); "
            "it must be installed, or be a file in the folder that the command runs in"
        ) from None


def known_environment(
    env: str, given: Mapping[str, Json], defaults: Mapping[str, Json] | None = None
) -> tuple[str, dict[str, Json]]:
    """Find an environment and the arguments it knows; imports the module of ``"module:ID"``.

    Args:
        env: Gymnasium id with its version.
        given: arguments that a user asked for.
        defaults: arguments that are dropped where the environment does not know them.

    Returns:
        The id without the module, and the arguments of ``gym.make``.

    Raises:
        ValueError: with the nearest known id or argument.
    """
    module, _, env_id = env.rpartition(":")
    if module:
        _import(module)
    try:
        spec = gym.spec(env_id)
    except gym.error.Error:
        namespace = env_id.rpartition("/")[0]
        known = sorted(key for key, spec in gym.registry.items() if spec.namespace in ("ACB", namespace or "ACB"))
        near = get_close_matches(env_id, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"unknown environment {env_id!r}; {hint}Known: {', '.join(known)}. "
            "For one of your own write 'module:ID', with the module that registers it"
        ) from None
    known_arguments = _arguments(spec)
    unknown = [name for name in given if known_arguments is not None and name not in known_arguments]
    if unknown and known_arguments is not None:
        near = get_close_matches(unknown[0], known_arguments, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"{spec.id} has no argument {unknown[0]!r}; {hint}Known: {', '.join(known_arguments)}")
    kept = {name: value for name, value in (defaults or {}).items() if name in (known_arguments or defaults or ())}
    return spec.id, {**kept, **given}


def _arguments(spec: Any) -> list[str] | None:
    """Return the argument names of an environment's class; None if it does not say."""
    maker = spec.entry_point
    if isinstance(maker, str):
        maker = gym.envs.registration.load_env_creator(maker)
    names: list[str] = []
    chain = (
        [vars(base)["__init__"] for base in maker.__mro__ if "__init__" in vars(base)]
        if inspect.isclass(maker)
        else [maker]
    )
    for function in chain:  # a subclass that passes **kwargs on takes what its base takes
        parameters = list(inspect.signature(function).parameters.values())
        names += [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return [name for name in dict.fromkeys(names) if name not in ("self", "render_mode")]
    return None


def _playable(env_id: str, kwargs: Mapping[str, Json], specs: Sequence[AgentSpec], seeds: range) -> None:
    """Make an environment once, to see that its arguments are valid and that every scripted agent can play it.

    Raises:
        ValueError: with what the environment or the agent says.
    """
    try:
        env = gym.make(env_id, **{"disable_env_checker": True, **kwargs})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{env_id} cannot be made with {dict(kwargs)}: {error}") from None
    refuse_repeats(env_id, env.unwrapped, seeds)
    observation, info = env.reset(seed=seeds[0], options={"split": "eval"})
    if not isinstance(observation, str) or "task" not in info:
        raise ValueError(f"{env_id} does not keep acgym's contract of a text environment; see 'acgym check {env_id}'")
    for spec in specs:
        if spec.kind in (*MODELS, *REMOTE, "silent"):
            continue
        agent = scripted(spec)
        for seed in seeds if spec.kind == "replay" else seeds[:1]:
            env.reset(seed=seed, options={"split": "eval"})
            try:
                agent.for_episode(env)
            except (TypeError, LookupError) as error:
                raise ValueError(error.args[0]) from None
    env.close()
