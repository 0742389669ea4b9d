"""``acgym.compare``: the same episodes played by several agents, in one call; the command line calls it too."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.agents.base import Agent
from acgym.experiment.add import added_settings, as_on_disk
from acgym.experiment.asked import AgentLike, EnvLike, entries, handed_over
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


def compare(
    agents: AgentLike | Sequence[AgentLike] = (),
    envs: EnvLike | Sequence[EnvLike] = (),
    *,
    episodes: int | None = None,
    out: str | Path | Named | None = None,
    add: str | Path | None = None,
    suite: str | None = None,
    seed: int = 0,
    level: int | None = None,
    kwargs: Mapping[str, Json] | None = None,
    calibration: str | Path | None = None,
    until: float | None = None,
    margin: float | None = None,
    noise_floor: bool = False,
    workers: int | None = 1,
    ray: str | None = None,
    episode_seconds: float | None = None,
    tool_format: str | None = None,
    decoding: Mapping[str, Json] | None = None,
    shots: int = 0,
    malformed_limit: int | None = None,
    imports: Sequence[str] = (),
    progress: bool | Listener = True,
) -> ComparisonResult:
    """Play the same episodes with a dense agent and with others, and compare them pair by pair.

    Works in a script, in a notebook (with its event loop running) and in a thread.

    Args:
        agents: who plays, the one that the others are compared with first: specs (``"reference+gptq-w4"``,
            ``"./model"``, see :func:`acgym.assemble.spec.parse_spec`), agents (``acgym.agent(...)``, your own subclass
            of :class:`acgym.agents.base.Agent`), or functions ``(messages, tools) -> text``. Agents and functions are
            named ``python:NAME`` in the run, after ``agent.name`` or the function. Empty for the reference agent
            against eight compressed forms of it.
        envs: what is played: ids or short names (``"Needle"``), ``(id, kwargs)``, or specs of environments. Empty for
            those of ``suite``.
        episodes: per environment and agent, 1 to 1,000,000; None for 100, or for at most 5,000 with ``until``.
        out: the run's folder; the same call with the same folder goes on where it stopped. None for a temporary folder
            (``result.folder``, where ``tempfile`` puts it), which is removed with the result; ``result.save(folder)``
            keeps it. ``NAMED`` for what the command line does: ``runs/`` and a name made from the settings.
        add: a run's folder: its episodes, signals and calibration are kept, and only ``agents`` play, the same episodes
            as its others did. With ``out``, the run is copied there first. What is played is the run's to say: only
            ``workers``, ``ray``, ``imports`` and ``progress`` may be given beside it.
        suite: name of a registered group of environments; None for ``quick`` where ``envs`` is empty.
        seed: 0 or larger; another seed, other episodes.
        level: difficulty, 1 to 5; None for 1 if the reference agent takes part by its spec, else each environment's
            default, 3.
        kwargs: further arguments of ``gym.make``, for every environment.
        calibration: what recipes are calibrated on, where a spec does not say it: a text file, or a calibration spec;
            None for the models' own trajectories on the training split.
        until: stop as soon as every difference in success is known to within this half-width, in (0, 1), or is known
            not to be 0; None to play all episodes.
        margin: loss of success, in (0, 1), of which is asked whether each agent has it: yes, no, or how many more
            episodes would tell (:mod:`acgym.analysis.equivalence`). It changes no episode. None to ask nothing.
        noise_floor: let the first agent play once more with another batch size: what chance alone changes.
        episode_seconds: wall-clock seconds, more than 0, that one episode may take; None for no limit.
        tool_format: how all models write tool calls; None to tell it from each one's chat template.
        decoding: how all models are decoded, such as ``{"temperature": 0.7}``; None for greedy.
        shots: solved tasks of the training split, 0 to 16, in front of every conversation.
        malformed_limit: equal malformed replies in a row, 2 or more, that end an episode; None for no limit.
        imports: modules that register environments or compression methods; imported first, in workers too.
        workers: processes that play; 1 to play in this one, None for one a core if all models are small. A script that
            asks for more must begin its work under ``if __name__ == "__main__":``, as with all of Python's
            multiprocessing.
        ray: address of a Ray cluster on which they play; needs an ``out`` that all its nodes see.
        progress: whether to show how far it is, on standard error or in the notebook; or who hears of it.

    Returns:
        The result, with tables, data frames, episodes and figures.

    Raises:
        ValueError, ImportError, FileNotFoundError: for what cannot be played, before any model is loaded, in a sentence
            that says what was expected.
        acgym.record.lines.RunExists: if the folder holds a run with other settings.
        OSError: if the disk is full; finished episodes stay readable.
        acgym.loop.EnvBug: if an environment breaks its contract.
    """
    if margin is not None:
        from acgym.analysis.equivalence import check_margin  # statistics take seconds to load

        check_margin(margin)
    names, given = handed_over(agents)
    chosen = entries(envs)
    asked: dict[str, Any] = {
        "episodes": episodes, "suite": suite, "seed": seed, "level": level, "kwargs": kwargs,
        "calibration": calibration, "until": until, "noise_floor": noise_floor, "episode_seconds": episode_seconds,
        "tool_format": tool_format, "decoding": decoding, "shots": shots, "malformed_limit": malformed_limit,
    }  # fmt: skip
    if add is not None:
        _refuse_beside_add({"envs": chosen, **asked})
        if isinstance(out, Named):
            out = None
        return add_to(
            Path(add), names, out, imports, workers=workers, ray=ray, progress=progress, given=given, margin=margin
        )
    settings = prepare(names, chosen, imports=imports, **asked)
    if out is not None:
        where = settings.default_folder if isinstance(out, Named) else Path(out)
        return compared(settings, where, workers=workers, ray=ray, progress=progress, given=given, margin=margin)
    if ray is not None:
        raise ValueError("a run on a Ray cluster needs a folder that all its nodes see; name it with out")
    with _temporary() as folder:
        return compared(
            settings, folder, workers=workers, ray=ray, progress=progress, given=given, margin=margin, temporary=True
        )


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


def add_to(
    folder: Path,
    agents: Sequence[str],
    out: str | Path | None = None,
    imports: Sequence[str] = (),
    *,
    workers: int | None = 1,
    ray: str | None = None,
    progress: bool | Listener = True,
    given: Mapping[str, Agent] | None = None,
    margin: float | None = None,
) -> ComparisonResult:
    """Let further agents play what a run played; see ``add`` of :func:`compare`.

    Raises:
        as :func:`acgym.experiment.add.added_settings` and :func:`compared`.
    """
    settings = added_settings(folder, agents, imports)
    if out is not None and not (Path(out) / MANIFEST).is_file():
        shutil.copytree(folder, out, ignore=shutil.ignore_patterns("*.tmp"))
    where = folder if out is None else Path(out)
    if as_on_disk(settings, where) == settings:
        Run.widen(where, settings.to_dict())
    return compared(settings, where, workers=workers, ray=ray, progress=progress, given=given, margin=margin)


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
