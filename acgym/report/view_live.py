"""What of a run in progress can be compared: the agents that have played everything, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from acgym.analysis.comparison import assemble_result
from acgym.analysis.result import RESULT, ComparisonResult
from acgym.record.run import Run
from acgym.report.material import Missing
from acgym.types import Json


def live(folder: Path, progress: Mapping[str, Json]) -> tuple[ComparisonResult, Run, str]:
    """Return the comparison of the agents that are done, their run, and a notice of those that are not.

    An agent that still plays is left out: to look at its numbers while they grow would be to peek, and its tests would
    no longer hold.

    Args:
        folder: of the run.
        progress: what :meth:`acgym.report.view_progress.Progress.read` returns.

    Raises:
        acgym.report.material.Missing: if the dense agent is not done.
        FileNotFoundError, ValueError: if there is no run, or a file of it is damaged.
    """
    run = Run.read(folder)
    finished = run.read_json(RESULT)
    if finished is not None:
        return ComparisonResult.from_json(finished, f"{folder / RESULT}"), run, ""
    rows = progress["agents"]
    done = [row["name"] for row in rows if row["finished"]]
    dense = rows[0]["name"]
    if progress["ends_itself"]:
        raise Missing("this run ends by itself, and is compared when it has")
    if dense not in done:
        raise Missing(f"nothing can be compared yet: {dense} has not played all of its episodes")
    left = [row["name"] for row in rows if not row["finished"]]
    notice = f"The run is not finished. Left out until they have played everything: {', '.join(left)}." if left else ""
    run = Run(folder, {**run.settings, "agents": done})
    return assemble_result(run), run, notice
