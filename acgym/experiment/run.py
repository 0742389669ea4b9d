"""The main job: the same episodes played by a dense and by compressed agents, probed, scored and compared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

from acgym.assemble.folder import weight_bytes
from acgym.assemble.models import Models
from acgym.assemble.spec import GIVEN, model_folder
from acgym.experiment.executors import ParallelExecutor, Work
from acgym.experiment.settings import Settings, prepare
from acgym.files import sweep
from acgym.listener import Listener
from acgym.record.run import Run

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.analysis.result import ComparisonResult
    from acgym.record.episode import Episode
    from acgym.workers.pool import Team

__all__ = ["Listener", "Settings", "prepare", "run_comparison"]

SMALL_MODEL = 100 << 20
"""Bytes of weights up to which a model is played in several processes."""
MOST_WORKERS = 8

Play: TypeAlias = Callable[[Sequence[str], int], None]
"""Plays agents, each on the run's first so many seeds, the run's first agent before the others; returns when all are
done."""


def run_comparison(
    settings: Settings,
    folder: Path,
    *,
    listener: Listener | None = None,
    workers: int = 1,
    ray: str | None = None,
    given: Mapping[str, Agent] | None = None,
    margin: float | None = None,
) -> ComparisonResult:
    """Play, probe, score and compare; return what ``comparison.json`` in ``folder`` then holds.

    A run that was interrupted goes on where it stopped: finished episodes are never played again, failed ones are.
    With ``settings.until`` the seeds are the same fixed sequence, and whether to stop after the first n of them is
    decided from the recorded episodes alone: the same run, interrupted or not, stops at the same episode.

    Args:
        settings: from :func:`prepare`.
        folder: the run's folder, new or of the same settings. It then holds ``manifest.json``, for each agent
            ``episodes.jsonl``, ``agent.json`` (:class:`acgym.record.sheet.Sheet`) and ``signals.safetensors``
            (:func:`acgym.probe.baseline.write_signals`), ``comparison.json``
            (:func:`acgym.analysis.comparison.assemble_result`), and ``calibration-*.json`` with what models played for
            their calibration (:mod:`acgym.assemble.models`).
        listener: hears of progress.
        workers: how many processes play, each with a model of its own; 1 to play in this one. Compression methods
            that a script registered are known in its own process alone.
        ray: address of the Ray cluster on which they play as actors (:class:`acgym.workers.ray.Cluster`); None for
            processes on this machine.
        given: spec (``python:NAME``) -> the agent that a script hands over; they play in this process.
        margin: as :func:`acgym.analysis.comparison.assemble_result` takes it. It is no setting: it changes no episode.

    Raises:
        RunExists: if the folder holds a run with other settings.
        RecordNotWritten, OSError: if the disk is full; all finished episodes stay readable.
        ValueError: if a recipe does not fit its model, a calibration file was changed since the settings were prepared,
            or has fewer tokens than were asked for; or if there is less than one worker.
        EnvBug: if an environment breaks its contract.
    """
    if workers < 1:
        raise ValueError(f"at least 1 process must play, got workers={workers}")
    listener = listener or Listener()
    if given and (workers > 1 or ray is not None):
        raise ValueError(f"{', '.join(given)}: agents of a script play in its own process; leave workers and ray out")
    Models.of(settings.to_dict(), listener)  # refuses a calibration file that was changed before anything is written
    with Run.open(folder, settings.to_dict()) as run:
        sweep(folder)
        work = Work(settings, folder, given or {})
        if workers == 1 and ray is None:
            _play(settings, run, work(listener, lambda _: run).all)
        else:
            from acgym.workers.pool import Workers

            team: Team | None = None
            if ray is not None:
                from acgym.workers.ray import Cluster

                team = Cluster(ray, workers)
            with Workers(workers, work, run.append, listener, team, _load_the_rest) as pool:
                _play(settings, run, ParallelExecutor(settings, run, pool, listener).all)
        # here: statistics take seconds to load, in workers too
        from acgym.analysis.comparison import assemble_result
        from acgym.analysis.result import RESULT

        result = assemble_result(run, margin)
        run.write_json(RESULT, result.to_json())
    return result


def default_workers(settings: Settings) -> int:
    """Return how many processes play best: one a core where all models are small, else one.

    A large model fills the cores by itself, and a second copy of it might not fit into memory.
    """
    if any(spec.kind == GIVEN for spec in settings.specs.values()):
        return 1
    folders = {model_folder(spec) for spec in settings.specs.values()}
    sizes = [weight_bytes(folder) for folder in folders if folder]
    if not sizes or None in folders or max(sizes) > SMALL_MODEL or settings.until is not None:
        return 1
    return max(1, min(os.cpu_count() or 1, len(settings.agents) - 1, MOST_WORKERS))


def _load_the_rest() -> None:
    """Load what the end of a run and its report need while the last workers still play: it takes two seconds."""

    def load() -> None:
        for module in ("acgym.analysis.comparison", "matplotlib.backends.backend_svg"):
            with suppress(ImportError):  # a broken matplotlib: the report says so
                import_module(module)

    Thread(target=load, daemon=True).start()


def _play(settings: Settings, run: Run, play: Play) -> None:
    """Play the first agent, then the others; in batches, until nothing is open, if the settings say so."""
    first, *others = settings.agents
    if settings.until is None:
        play(settings.agents, settings.episodes)
        return
    from acgym.analysis.until import look, looks, may_stop

    for name in others:
        for count in looks(settings.episodes):
            play([first], count)
            play([name], count)
            seeds = settings.seeds[:count]
            if may_stop(
                look(_played(settings, run, first, seeds), _played(settings, run, name, seeds), settings.until)
            ):
                break


def _played(settings: Settings, run: Run, agent: str, seeds: range) -> dict[str, list[Episode]]:
    """Return an agent's episodes of the seeds by environment, in the order of the seeds."""
    rows = sorted((e for e in run.episodes(agent) if e.seed in seeds), key=lambda episode: episode.seed)
    return {env: [episode for episode in rows if episode.env == env] for env in settings.envs}
