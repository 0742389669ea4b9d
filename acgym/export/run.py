"""Writes a run's results in the form of another tool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from acgym.analysis.comparison import assemble_result
from acgym.analysis.result import RESULT, ComparisonResult
from acgym.export.exported import Exported, Files
from acgym.export.forms import FORMS
from acgym.files import write_whole
from acgym.record.run import Run


def export_run(folder: str | Path, to: str, out: str | Path, agents: Sequence[str] = ()) -> list[Path]:
    """Write a run's results in the form of another tool.

    Args:
        folder: of a finished run.
        to: one of :data:`acgym.export.forms.FORMS`.
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
    form = FORMS[to]
    if form.needs is not None and find_spec(form.needs) is None:
        raise ImportError(f'{to} needs {form.needs}; install it with: pip install "acgym[{to}]"')
    run = Run.read(folder)
    result = _result(run)
    names = [agent.name for agent in result.agents]
    for name in agents:
        if name not in names:
            raise ValueError(f"{folder} compares no agent {name!r}; it compares {', '.join(names)}")
    chosen = [agent for agent in result.agents if not agents or agent.name in agents]
    module, _, function = form.function.partition(":")
    make: Callable[[Exported], Files] = getattr(import_module(module), function)
    files = make(Exported(run, result, chosen))
    written = []
    for name, content in files.items():
        write_whole(Path(out) / name, content)
        written.append(Path(out) / name)
    return written


def _result(run: Run) -> ComparisonResult:
    """Read the run's comparison; make it if there is none yet."""
    kept = run.read_json(RESULT)
    if kept is None:
        return assemble_result(run)
    try:
        return ComparisonResult.from_json(kept, f"{run.path / RESULT}")
    except ValueError as why:
        raise ValueError(f"{run.path / RESULT} is not a comparison ({why}); 'acgym rescore' makes it anew") from None
