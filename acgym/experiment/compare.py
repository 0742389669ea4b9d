"""``acgym.compare``: the same episodes played by several agents, in one call; the command line calls it too."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from acgym.agents.base import Agent
from acgym.experiment.add import added_settings, as_on_disk
from acgym.experiment.asked import AgentLike, EnvLike, entries, handed_over
from acgym.experiment.checked import check_types
from acgym.experiment.progress import watching
from acgym.experiment.run import default_workers, run_comparison
from acgym.experiment.settings import Settings, prepare
from acgym.listener import Listener
from acgym.record.manifest import MANIFEST
from acgym.record.run import Run
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.results.comparison import ComparisonResult


class Named(Enum):
    """Where a run goes."""

    BY_SETTINGS = "runs/compare-..."
    """To ``runs/`` in the current folder, under a name made from the settings."""


NAMED = Named.BY_SETTINGS


class Options(TypedDict, total=False):
    """What decides the numbers of a comparison beside agents, environments and episodes: :func:`compare` takes it."""

    suite: str | None
    """Name of a registered group of environments; None for ``quick`` where no environments are named."""
    seed: int
    """0 (the default) or larger; another seed, other episodes."""
    level: int | None
    """Difficulty, 1 to 5; None for 1 if the reference agent takes part by its spec, else each environment's own, 3."""
    kwargs: Mapping[str, Json] | None
    """Further arguments of ``gym.make``, for every environment."""
    calibration: str | Path | None
    """What recipes are calibrated on, where a spec does not say it: a text file, or a calibration spec
    (:func:`acgym.calibrate.spec.parse_calibration`); None for the models' own trajectories on the training split."""
    until: float | None
    """Stop as soon as every difference in success is known to within this half-width, in (0, 1), or is known not to be
    0; None to play all episodes."""
    noise_floor: bool
    """Let the first agent play once more with another batch size: what chance alone changes."""
    episode_seconds: float | None
    """Wall-clock seconds, more than 0, that one episode may take; None for no limit."""
    tool_format: str | None
    """How all models write tool calls; None to tell it from each one's chat template."""
    decoding: Mapping[str, Json] | None
    """How all models are decoded, such as ``{"temperature": 0.7}`` (:class:`acgym.agents.decoding.Decoding`); None for
    greedy."""
    shots: int
    """Solved tasks of the training split, 0 to 16, in front of every conversation."""
    malformed_limit: int | None
    """Equal malformed replies in a row, 2 or more, that end an episode; None for no limit."""


def compare(
    agents: AgentLike | Sequence[AgentLike] | None = None,
    envs: EnvLike | Sequence[EnvLike] | None = None,
    *,
    episodes: int | None = None,
    out: str | Path | Named | None = None,
    add: str | Path | None = None,
    workers: int | None = 1,
    ray: str | None = None,
    imports: Sequence[str] = (),
    progress: bool | Listener = True,
    margin: float | None = None,
    **options: Unpack[Options],
) -> ComparisonResult:
    """Play the same episodes with a dense agent and with others, and compare them pair by pair.

    Works in a script, in a thread, and in a notebook with its event loop running.

    Args:
        agents: who plays, the one that the others are compared with first: specs (``"reference+gptq-w4"``, see
            :func:`acgym.assemble.spec.parse_spec`), agents, or functions ``(messages, tools) -> text``; the latter two
            are ``python:NAME`` in the run. None for the reference agent and eight compressed forms of it.
        envs: ids or short names (``"Needle"``), ``(id, kwargs)``, or specs of environments; None for those of a suite.
        episodes: per environment and agent, 1 to 1,000,000; None for 100, or for at most 5,000 with ``until``.
        out: the run's folder; the same call with it goes on where it stopped. None for a temporary one where
            ``tempfile`` puts it (``result.folder``), removed with the result; ``NAMED`` for ``runs/`` and a name.
        add: folder of a run that the agents join: they alone play, the episodes that its others played, and what it has
            played, probed and calibrated is kept. With ``out`` it is copied there first. It allows no further options.
        workers: processes that play; 1 for this one alone, None for one a core if all models are small. A script that
            asks for more begins its work under ``if __name__ == "__main__":``.
        ray: address of a Ray cluster on which they play; needs an ``out`` that all its nodes see.
        imports: modules that register environments or methods; imported first, in workers too.
        progress: whether to show how far it is, on standard error or in the notebook; or who hears of it.
        margin: loss of success, in (0, 1), of which is asked whether each agent has it: yes, no, or how many more
            episodes would tell (:mod:`acgym.analysis.equivalence`); it changes no episode.
        options: see :class:`Options`.

    Raises:
        ValueError, TypeError, ImportError, FileNotFoundError: for what cannot be played, before any model is loaded.
        acgym.record.lines.RunExists: if the folder holds a run with other settings.
        OSError: if the disk is full; finished episodes stay readable.
        acgym.loop.EnvBug: if an environment breaks its contract.
    """
    asked = {"episodes": episodes, "out": out, "add": add, "margin": margin, "workers": workers, "ray": ray, **options}
    _refuse(asked, options)
    names, given = ([], {}) if agents is None else handed_over(agents)
    chosen = [] if envs is None else entries(envs)
    play = partial(compared, workers=workers, ray=ray, progress=progress, given=given, margin=margin)
    if add is not None:
        _refuse_beside_add({"envs": chosen, "episodes": episodes, **options})
        return play(*joined(Path(add), names, None if isinstance(out, Named) else out, imports))
    _refuse_none(agents is None or names, chosen or envs is None)
    settings = prepare(names, chosen, episodes=episodes, imports=imports, **options)
    if out is not None:
        return play(settings, settings.default_folder if isinstance(out, Named) else Path(out))
    if ray is not None:
        raise ValueError("a run on a Ray cluster needs a folder that all its nodes see; name it with out")
    with _temporary() as folder:
        return play(settings, folder, temporary=True)


def compared(
    settings: Settings,
    folder: Path,
    *,
    workers: int | None = 1,
    ray: str | None = None,
    progress: bool | Listener = True,
    given: Mapping[str, Agent] | None = None,
    margin: float | None = None,
    temporary: bool = False,
) -> ComparisonResult:
    """Play what the settings say, or what is left of it, into a folder.

    Args:
        settings: from :func:`acgym.experiment.settings.prepare`.
        folder: the run's. If agents were added to it, it goes on with them.
        workers: as :func:`compare` takes it.
        ray: as :func:`compare` takes it.
        progress: as :func:`compare` takes it.
        given: spec -> agent, from :func:`handed_over`.
        margin: as :func:`compare` takes it.
        temporary: remove the folder with the result.

    Raises:
        as :func:`acgym.experiment.run.run_comparison`.
    """
    settings = as_on_disk(settings, folder)
    workers = workers or default_workers(settings)
    with _heard(progress, settings) as listener:
        numbers = run_comparison(
            settings, folder, listener=listener, workers=workers, ray=ray, given=given, margin=margin
        )
    from acgym.results.comparison import ComparisonResult  # statistics take seconds to load: when they are needed

    return ComparisonResult(Run.read(folder), numbers, temporary=temporary)


def joined(
    folder: Path, agents: Sequence[str], out: str | Path | None, imports: Sequence[str]
) -> tuple[Settings, Path]:
    """Let agents join a run, or a copy of it in ``out``; return the settings with them and the folder.

    Raises:
        as :func:`acgym.experiment.add.added_settings`.
    """
    settings = added_settings(folder, agents, imports)
    if out is not None and not (Path(out) / MANIFEST).is_file():
        shutil.copytree(folder, out, ignore=shutil.ignore_patterns("*.tmp"))
    where = folder if out is None else Path(out)
    if as_on_disk(settings, where) == settings:
        Run.widen(where, settings.to_dict())
    return settings, where


def _refuse_none(agents: object, envs: object) -> None:
    """Refuse empty lists, which a filter of the caller's may have left: the defaults are had by saying nothing."""
    if not agents:
        raise ValueError("there is no agent in the list; name at least one, or leave agents out for the default ones")
    if not envs:
        raise ValueError("there is no environment in the list; name at least one, or leave envs out for the suite's")


def _refuse(asked: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Refuse values of a wrong type, an option that there is not, with the nearest, and a margin outside its range."""
    check_types({name: value for name, value in asked.items() if not isinstance(value, Named)})
    if asked["margin"] is not None:
        from acgym.analysis.equivalence import check_margin  # statistics take seconds to load

        check_margin(asked["margin"])
    known = Options.__annotations__
    for name in options:
        if name not in known:
            near = get_close_matches(name, [*known, "episodes", "workers", "progress", "imports", "margin"], n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise TypeError(f"compare has no option {name!r}; {hint}Known: {', '.join(known)}")


def _refuse_beside_add(asked: Mapping[str, Any]) -> None:
    """Refuse what the run that agents are added to has said already."""
    said = [name for name, value in asked.items() if value not in (None, False, 0, {}, [])]
    if said:
        raise ValueError(f"agents that are added play what the run played; leave out {', '.join(said)}")


@contextmanager
def _heard(progress: bool | Listener, settings: Settings) -> Iterator[Listener]:
    if isinstance(progress, Listener):
        yield progress
    elif not progress:
        yield Listener()
    else:
        with watching(settings.total) as listener:
            yield listener


@contextmanager
def _temporary() -> Iterator[Path]:
    """Make a folder that is removed if the comparison fails; after an interrupt it stays, and the error says where."""
    folder = Path(tempfile.mkdtemp(prefix="acgym-"))
    try:
        yield folder
    except KeyboardInterrupt as stop:
        stop.add_note(f"All finished episodes are kept; the same call with out={str(folder)!r} goes on from here.")
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
