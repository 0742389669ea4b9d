"""What a comparison is to do, checked to the last word before any model is loaded."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym

from acgym.assemble import CAPABILITIES, MODELS, AgentSpec, default_kwargs, fingerprint, parse_spec, read_text, scripted
from acgym.record import folder_name
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
SEEDS_APART = 1_000_000
"""Seed s of a run plays the episode seeds from s * SEEDS_APART on: runs with different seeds share no episode."""
TRAJECTORIES_LABEL = "trajectories"


@dataclass(frozen=True)
class Settings:
    """Everything that decides the numbers of a comparison; a run with the same settings is the same run."""

    agents: tuple[str, ...]
    """Canonical specs; the first is the one that the others are compared with."""
    envs: Mapping[str, Mapping[str, Json]]
    """Environment id (with its version, without a module) -> arguments of ``gym.make``."""
    modules: tuple[str, ...]
    """Modules that register some of the environments; acgym itself is not among them."""
    episodes: int
    """Episodes of each agent in each environment, from 1 to SEEDS_APART."""
    seed: int
    calibration: str
    """``"trajectories"``, or the SHA-256 of the calibration text."""
    models: Mapping[str, str | None]
    """Uncompressed model's spec -> :func:`acgym.assemble.fingerprint` of its files."""

    def to_dict(self) -> dict[str, Json]:
        """Return the settings as JSON."""
        return {**asdict(self), "agents": list(self.agents), "modules": list(self.modules)}

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
    episodes: int = DEFAULT_EPISODES,
    seed: int = 0,
    level: int | None = None,
    kwargs: Mapping[str, Json] | None = None,
    calibration: str | Path | None = None,
) -> Settings:
    """Check everything a user asked for, before any model is loaded.

    Args:
        agents: agent specs, the dense one first; empty for the default comparison.
        envs: environment ids, ``"module:ID"`` to import the module that registers one; empty for the first of each
            capability.
        episodes: episodes per environment and agent, 1 to 1,000,000.
        seed: 0 or larger; another seed, other episodes.
        level: 1 to 5; None for 1 if the reference agent takes part, else each environment's default.
        kwargs: further arguments of ``gym.make``, for every environment.
        calibration: path of a text file; None for the models' own trajectories.

    Raises:
        ValueError, FileNotFoundError: what is wrong, what was expected, and the nearest valid name.
    """
    specs = [parse_spec(text) for text in (agents or DEFAULT_AGENTS)]
    names = [spec.text for spec in specs]
    for name in names:
        folder_name(name)  # refuses a name that no folder can have
        if names.count(name) > 1:
            raise ValueError(f"the agent {name!r} is named twice; a run plays each agent once")
    if not 1 <= episodes <= SEEDS_APART:
        raise ValueError(f"episodes must be from 1 to {SEEDS_APART:,}, got {episodes}")
    if seed < 0:
        raise ValueError(f"the seed must be 0 or larger, got {seed}")
    given = {**_json_only(dict(kwargs or {})), **({} if level is None else {"level": level})}
    if level is not None and (kwargs or {}).get("level", level) != level:
        raise ValueError(f"the level is given twice: {level} and {(kwargs or {})['level']}; keep one")
    defaults: dict[str, Json] = {}
    for spec in specs:
        defaults |= default_kwargs(spec)
    digest = TRAJECTORIES_LABEL if calibration is None else text_digest(read_text(calibration))
    modules = tuple(dict.fromkeys(env.rpartition(":")[0] for env in envs if ":" in env))
    chosen = dict(known_environment(env, given, defaults) for env in envs or CAPABILITIES)
    models = {spec.base.text: fingerprint(spec) for spec in specs if spec.kind in MODELS}
    settings = Settings(tuple(names), chosen, modules, episodes, seed, digest, models)
    for env_id, arguments in chosen.items():
        _playable(env_id, arguments, specs, settings.seeds)
    return settings


def text_digest(text: str) -> str:
    """Return the SHA-256 of a calibration text."""
    return hashlib.sha256(text.encode()).hexdigest()


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
            f"the module {module!r} of an environment cannot be imported ({error}); "
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
    observation, info = env.reset(seed=seeds[0], options={"split": "eval"})
    if not isinstance(observation, str) or "task" not in info:
        raise ValueError(f"{env_id} does not keep acgym's contract of a text environment; see 'acgym check {env_id}'")
    for spec in specs:
        if spec.kind in MODELS or spec.kind == "silent":
            continue
        agent = scripted(spec)
        for seed in seeds if spec.kind == "replay" else seeds[:1]:
            env.reset(seed=seed, options={"split": "eval"})
            try:
                agent.for_episode(env)
            except (TypeError, LookupError) as error:
                raise ValueError(error.args[0]) from None
    env.close()
