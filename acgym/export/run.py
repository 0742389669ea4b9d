"""Writes a run's results in other tools' forms: one function for each form, from numbers and episodes to files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from acgym.analysis.comparison import assemble_result
from acgym.analysis.result import RESULT, AgentResult, ComparisonResult
from acgym.files import write_whole
from acgym.record.episode import Episode
from acgym.record.run import MANIFEST, Run, folder_name
from acgym.statistics.paired import Interval
from acgym.types import Json


@dataclass(frozen=True)
class Exported:
    """A run as the forms need it."""

    run: Run
    result: ComparisonResult
    """Its comparison."""
    agents: Sequence[AgentResult]
    """Those of the comparison's agents that were asked for."""

    @cached_property
    def manifest(self) -> Mapping[str, Json]:
        """When the run was made, and with which versions."""
        manifest: Mapping[str, Json] = json.loads((self.run.path / MANIFEST).read_bytes())
        return manifest

    @property
    def envs(self) -> Mapping[str, Mapping[str, Json]]:
        """Environment -> arguments."""
        return self.result.settings.envs

    def episodes(self, agent: str) -> list[Episode]:
        """Return an agent's episodes by environment and seed."""
        return sorted(self.run.episodes(agent), key=lambda episode: (episode.env, episode.seed))


Files: TypeAlias = dict[str, bytes]
"""Path inside the folder that is written to -> content."""


def export_run(folder: str | Path, to: str, out: str | Path, agents: Sequence[str] = ()) -> list[Path]:
    """Write a run's results in the form of another tool.

    Args:
        folder: of a finished run.
        to: ``lm-eval``, ``inspect``, ``csv``, ``parquet`` or ``model-card``.
        out: folder to write into; files of the same names are replaced.
        agents: whose results to write; empty for all.

    Returns:
        The files that were written.

    Raises:
        ValueError: for an unknown form or agent, or a run that is not finished; before anything is written.
        ImportError: naming the command that installs what the form needs.
        FileNotFoundError, acgym.record.run.RecordDamaged: if there is no run, or a file of it is damaged.
        OSError: if a file cannot be written.
    """
    if to not in FORMS:
        raise ValueError(f"a run can be exported to {', '.join(FORMS)}, got {to!r}")
    if to == "parquet" and find_spec("pyarrow") is None:
        raise ImportError('parquet needs pyarrow; install it with: pip install "acgym[parquet]"')
    run = Run.read(folder)
    result = _result(run)
    names = [agent.name for agent in result.agents]
    for name in agents:
        if name not in names:
            raise ValueError(f"{folder} compares no agent {name!r}; it compares {', '.join(names)}")
    chosen = [agent for agent in result.agents if not agents or agent.name in agents]
    files = FORMS[to](Exported(run, result, chosen))
    written = []
    for name, content in files.items():
        write_whole(Path(out) / name, content)
        written.append(Path(out) / name)
    return written


def as_json(value: Json) -> bytes:
    """Write JSON for people to read as well; NaN and Infinity are refused."""
    return (json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n").encode()


def _result(run: Run) -> ComparisonResult:
    """Read the run's comparison; make it if there is none yet."""
    kept = run.read_json(RESULT)
    if kept is None:
        return assemble_result(run)
    try:
        return ComparisonResult.from_json(kept, f"{run.path / RESULT}")
    except ValueError as why:
        raise ValueError(f"{run.path / RESULT} is not a comparison ({why}); 'acgym rescore' makes it anew") from None


def standard_error(interval: Interval) -> float:
    """Return the standard error that a 95 % interval amounts to: half its width over 1.96."""
    return (interval.high - interval.low) / (2 * 1.959963984540054)


def env_version(env: str) -> int:
    """Return the version in an environment's id: ``ACB/Needle-v0`` -> 0; 0 if it has none."""
    last = env.rpartition("-v")[2]
    return int(last) if last.isdigit() else 0


def agent_folder(name: str) -> str:
    """Return the folder that an agent's files go into."""
    return folder_name(name)


def _lm_eval(exported: Exported) -> Files:
    from acgym.export.lm_eval import lm_eval

    return lm_eval(exported)


def _inspect(exported: Exported) -> Files:
    from acgym.export.inspect import inspect_logs

    return inspect_logs(exported)


def _csv(exported: Exported) -> Files:
    from acgym.export.tables import csv_files

    return csv_files(exported)


def _parquet(exported: Exported) -> Files:
    from acgym.export.tables import parquet_files

    return parquet_files(exported)


def _model_card(exported: Exported) -> Files:
    from acgym.export.model_card import model_cards

    return model_cards(exported)


FORMS: Mapping[str, Callable[[Exported], Files]] = {
    "lm-eval": _lm_eval,
    "inspect": _inspect,
    "csv": _csv,
    "parquet": _parquet,
    "model-card": _model_card,
}
