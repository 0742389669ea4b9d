"""The same comparison along several values of one argument: a run for each value, one model for all of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.assemble.models import Models
from acgym.experiment.asked import entries
from acgym.experiment.job import AgentJob
from acgym.experiment.progress import watching
from acgym.experiment.settings import Settings, prepare
from acgym.files import sweep
from acgym.listener import Listener
from acgym.record.run import Run, folder_name
from acgym.types import Json, canonical_json

if TYPE_CHECKING:
    from acgym.analysis.curve import DoseResponse


@dataclass(frozen=True)
class Varied:
    """What is varied, and the settings at each value, in the order given."""

    argument: str
    settings: Mapping[str, Settings]
    """Value as JSON -> settings."""

    @property
    def values(self) -> list[Json]:
        """The values."""
        return [json.loads(text) for text in self.settings]

    @property
    def total(self) -> int:
        """Episodes of all agents, environments and values."""
        return sum(settings.total for settings in self.settings.values())

    def folder(self, text: str) -> str:
        """Name the folder of a value's run."""
        return folder_name(f"{self.argument}={json.loads(text)}")

    @property
    def default_folder(self) -> Path:
        """Where the runs go if no folder is named: the same settings, the same folder."""
        whole = canonical_json([self.argument, *(one.to_dict() for one in self.settings.values())])
        return Path("runs") / f"vary-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def read_vary(text: str) -> tuple[str, list[Json]]:
    """Read ``name=value,value,...``; a value that is not JSON is text.

    Raises:
        ValueError: if it is not written so, or names a value twice.
    """
    name, equals, rest = text.partition("=")
    values = [_value(one) for one in rest.split(",")]
    if not equals or not name.strip() or len(values) < 2 or "" in values:
        raise ValueError(
            f"--vary is written name=value,value,... with two values or more, such as level=1,2,3; got {text!r}"
        )
    if len({canonical_json(value) for value in values}) < len(values):
        raise ValueError(f"--vary names a value twice: {text!r}")
    return name.strip(), values


def _value(text: str) -> Json:
    try:
        return json.loads(text.strip())
    except ValueError:
        return text.strip()


def prepare_varied(text: str, make: Callable[[int | None, Mapping[str, Json]], Settings], kwargs: Mapping[str, Json],
                   level: int | None) -> Varied:  # fmt: skip
    """Check everything at every value, before any model is loaded.

    Args:
        text: as :func:`read_vary` takes it.
        make: makes settings of a level and of further arguments, by :func:`acgym.experiment.settings.prepare`.
        kwargs: arguments that are the same at every value.
        level: likewise.

    Raises:
        ValueError: also if the argument is given twice, or the agents would stop by themselves.
    """
    name, values = read_vary(text)
    if name in kwargs or (name == "level" and level is not None):
        raise ValueError(f"{name} is given twice: by --vary and beside it; keep one")
    found = {}
    for value in values:
        if name == "level" and not isinstance(value, int):
            raise ValueError(f"a level is a whole number, got {value!r}")
        made = make(value, kwargs) if name == "level" else make(level, {**kwargs, name: value})
        if made.until is not None:
            raise ValueError("--vary plays the same episodes with every agent; leave --until out")
        found[canonical_json(value)] = made
    return Varied(name, found)


def compare_varied(
    vary: str,
    agents: Sequence[str],
    envs: Sequence[str],
    *,
    out: Path | None = None,
    level: int | None = None,
    kwargs: Mapping[str, Json] | None = None,
    margin: float | None = None,
    **asked: Any,
) -> tuple[Path, DoseResponse]:
    """Compare along an argument, as the command line asks for it.

    Args:
        vary: as :func:`read_vary` takes it.
        agents: specs.
        envs: ids or short names.
        out: folder of the runs; None for one in ``runs/`` that is named after the settings.
        level: the same at every value.
        kwargs: likewise.
        margin: as :func:`run_varied` takes it.
        asked: further arguments of :func:`acgym.experiment.settings.prepare`.

    Returns:
        The folder, and what was found.
    """
    make = partial(prepare, list(agents), entries(list(envs)), **asked)
    varied = prepare_varied(vary, lambda dose, more: make(level=dose, kwargs=more), dict(kwargs or {}), level)
    folder = out or varied.default_folder
    with watching(varied.total) as listener:
        return folder, run_varied(varied, folder, listener, margin)


def run_varied(
    varied: Varied, folder: Path, listener: Listener | None = None, margin: float | None = None
) -> DoseResponse:
    """Play, probe, score and compare at every value; return what ``curve.json`` in ``folder`` then holds.

    Every value has a run of its own in ``folder``, such as ``level%3D2``, with comparison and report; what was
    interrupted goes on where it stopped. An agent plays all values before the next one is made, and recipes are
    calibrated once, on episodes of the first value: the same compressed model all along.

    Args:
        varied: from :func:`prepare_varied`.
        folder: new, or of the same settings.
        listener: hears of progress.
        margin: as :func:`acgym.experiment.run.run_comparison` takes it.

    Raises:
        What :func:`acgym.experiment.run.run_comparison` raises.
    """
    from acgym.analysis.comparison import assemble_result
    from acgym.analysis.curve import CURVE, dose_response
    from acgym.analysis.result import RESULT
    from acgym.report.curve import write_curve
    from acgym.report.page import write_report

    listener = listener or Listener()
    settings = list(varied.settings.values())
    folders = [varied.folder(text) for text in varied.settings]
    with ExitStack() as stack:
        runs = [stack.enter_context(Run.open(folder / name, one.to_dict()))
                for name, one in zip(folders, settings, strict=True)]  # fmt: skip
        for run in runs:
            sweep(run.path)
        models = Models.of(settings[0].to_dict(), listener, runs[0])
        jobs = [AgentJob(one, run, models) for one, run in zip(settings, runs, strict=True)]
        for name in settings[0].agents:
            for value, job in zip(varied.values, jobs, strict=True):
                models.listener = _Labelled(listener, f"{varied.argument}={value}")
                job.do(job.settings.specs[name], job.settings.seeds)
                _share_calibration(runs[0], job.run)
        results = [assemble_result(run, margin) for run in runs]
        for run, result in zip(runs, results, strict=True):
            run.write_json(RESULT, result.to_json())
            write_report(result, run.path / "report.html", run)
    found = dose_response(varied.argument, varied.values, results, folders)
    Run(folder, {}).write_json(CURVE, found.to_json())
    write_curve(found, folder / "curve.html")
    return found


def _share_calibration(first: Run, run: Run) -> None:
    """Let a value's run hold what its recipes were calibrated on, for commands that make its models again."""
    if run.path != first.path:
        for file in first.path.glob("calibration-*.json"):
            if not (run.path / file.name).exists():
                shutil.copyfile(file, run.path / file.name)


class _Labelled(Listener):
    """Says at which value an environment is played."""

    def __init__(self, listener: Listener, label: str) -> None:
        self._listener, self._label = listener, label

    def stage(self, agent: str, what: str) -> None:
        self._listener.stage(agent, what)

    def playing(self, agent: str, env: str, done: int, total: int) -> None:
        self._listener.playing(agent, f"{env} {self._label}", done, total)
