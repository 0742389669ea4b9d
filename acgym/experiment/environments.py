"""The environments of a comparison: found by id or by suite, given arguments that they know, and tried before a run."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module

import gymnasium as gym

from acgym.assemble.make import scripted
from acgym.assemble.spec import GIVEN, MODELS, REMOTE, AgentSpec
from acgym.rows import RowEnv, refuse_repeats
from acgym.suites import QUICK, Entry, Suite, environment_class, suite_named
from acgym.types import Json


def chosen_environments(
    envs: Sequence[Entry], suite: str | None, given: Mapping[str, Json], defaults: Mapping[str, Json]
) -> Suite:
    """Find what is played: environments by their ids, or those of a suite.

    Args:
        envs: ids (:func:`known_environment`), alone or with arguments of their own; empty for those of the suite.
        suite: name, ``"module:NAME"`` to import the module that registers it; None for ``quick`` if ``envs`` is empty.
        given: arguments that a user asked for; over those of the suite, under an environment's own. A level is for
            those of the suite that have levels.
        defaults: arguments that are dropped where an environment does not know them.

    Returns:
        Environment -> arguments of ``gym.make``.

    Raises:
        ValueError: if both are named, an environment is named twice, or as :func:`known_environment` and
            :func:`acgym.suites.suite_named`.
    """
    if envs and suite is not None:
        first = envs[0] if isinstance(envs[0], str) else envs[0][0]
        raise ValueError(f"the environments are chosen twice: by --env {first} and by --suite {suite}; keep one")
    if not envs:
        wanted = suite_environments(suite or QUICK).items()
        return dict(known_environment(env, {**own, **_without_level(env, given)}, defaults) for env, own in wanted)
    chosen: Suite = {}
    for entry in envs:
        env, own = (entry, {}) if isinstance(entry, str) else entry
        env_id, arguments = known_environment(env, {**given, **own}, defaults)
        if chosen.get(env_id, arguments) != arguments:
            raise ValueError(
                f"{env_id} is named twice, with other arguments; a comparison plays each environment once. Compare "
                "twice, once with each"
            )
        chosen[env_id] = arguments
    return chosen


def modules_of(envs: Sequence[Entry], suite: str | None) -> tuple[str, ...]:
    """Return the modules that are named with environments or a suite (``"module:ID"``), each once."""
    ids = (env if isinstance(env, str) else env[0] for env in envs)
    written = (*ids, *(suite_environments(suite) if suite else ()), suite or "")
    return tuple(dict.fromkeys(name.rpartition(":")[0] for name in written if ":" in name))


def _without_level(env: str, given: Mapping[str, Json]) -> dict[str, Json]:
    """Leave the level out where an environment of a suite plays rows, which have none."""
    module, _, env_id = env.rpartition(":")
    levelled = module or env_id not in gym.registry or "level" in (_arguments(env_id) or ["level"])
    return {name: value for name, value in given.items() if name != "level" or levelled}


def suite_environments(name: str) -> Suite:
    """Return a suite's environments with their arguments; imports the module of ``"module:NAME"``.

    Raises:
        ValueError: if the module cannot be imported, or registers no such suite.
    """
    module, _, suite = name.rpartition(":")
    if module:
        import_named(module)
    return suite_named(suite)


def import_named(module: str) -> None:
    """Import a user's module, which registers environments, suites or methods.

    Raises:
        ValueError: if it cannot be imported.
    """
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
        env: Gymnasium id with its version, or a short name of one of acgym's or of the module's: ``Needle``,
            ``Needle-v0`` and ``ACB/Needle`` mean ``ACB/Needle-v0``.
        given: arguments that a user asked for.
        defaults: arguments that are dropped where the environment does not know them.

    Returns:
        The id without the module, and the arguments of ``gym.make``.

    Raises:
        ValueError: with the nearest known id or argument.
    """
    module, _, env_id = env.rpartition(":")
    if module:
        import_named(module)
    env_id = full_id(env_id)
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
    known_arguments = _arguments(env_id)
    unknown = [name for name in given if known_arguments is not None and name not in known_arguments]
    if unknown and known_arguments is not None:
        near = get_close_matches(unknown[0], known_arguments, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"{spec.id} has no argument {unknown[0]!r}; {hint}Known: {', '.join(known_arguments)}")
    kept = {name: value for name, value in (defaults or {}).items() if name in (known_arguments or defaults or ())}
    return spec.id, {**kept, **given}


def full_id(name: str) -> str:
    """Return the id that a short name means, its newest version; the name itself if it is an id, or means none or two.

    Capitals make no difference.
    """
    if name in gym.registry:
        return name
    found: dict[str, tuple[int, str]] = {}
    for key, spec in gym.registry.items():
        base = f"{spec.namespace}/{spec.name}"
        forms = {key, base, spec.name, f"{spec.name}-v{spec.version}"} if spec.namespace else set()
        if name.lower() in (form.lower() for form in forms):
            found[base] = max(found.get(base, (-1, "")), (spec.version or 0, key))
    ours = {base: best for base, best in found.items() if base.startswith("ACB/")} or found
    return next(iter(ours.values()))[1] if len(ours) == 1 else name


def _arguments(env_id: str) -> list[str] | None:
    """Return the argument names of an environment's class; None if it does not say."""
    maker = environment_class(env_id)
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


def check_playable(
    env_id: str, kwargs: Mapping[str, Json], specs: Sequence[AgentSpec], seeds: range, cut: bool = False
) -> int:
    """Make an environment once, to see that its arguments are valid, that it ends and that scripted agents play it.

    Args:
        env_id: the environment.
        kwargs: its arguments.
        specs: who plays it.
        seeds: of the episodes.
        cut: play an environment with fewer rows than seeds once through, where it is refused otherwise.

    Returns:
        How many of the seeds are played.

    Raises:
        ValueError: with what the environment or the agent says.
    """
    try:
        env = gym.make(env_id, **{"disable_env_checker": True, **kwargs})
    except (TypeError, ValueError) as error:
        raise ValueError(f"{env_id} cannot be made with {dict(kwargs)}: {error}") from None
    if env.spec is None or env.spec.max_episode_steps is None:
        raise ValueError(
            f"{env_id} has no step limit, so that an agent that never finishes would play it forever; register it with "
            "max_episode_steps"
        )
    inside = env.unwrapped
    if cut and isinstance(inside, RowEnv):
        seeds = seeds[: inside.rows]
    refuse_repeats(env_id, inside, seeds)
    observation, info = env.reset(seed=seeds[0], options={"split": "eval"})
    if not isinstance(observation, str) or "task" not in info:
        raise ValueError(f"{env_id} does not keep acgym's contract of a text environment; see 'acgym check {env_id}'")
    for spec in specs:
        if spec.kind in (*MODELS, *REMOTE, GIVEN, "silent"):
            continue
        agent = scripted(spec)
        for seed in seeds if spec.kind == "replay" else seeds[:1]:
            env.reset(seed=seed, options={"split": "eval"})
            try:
                agent.for_episode(env)
            except (TypeError, LookupError) as error:
                raise ValueError(error.args[0]) from None
    env.close()
    return len(seeds)
