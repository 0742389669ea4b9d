"""Read exported results with the tools they are for: python in_readers.py JOB.json.

``options`` names the files: ``inspect`` and ``lm-eval``. The report holds what each tool found in each of its files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def inspect_log(file: str) -> dict[str, Any]:
    """Read a log as Inspect does."""
    from inspect_ai.log import read_eval_log

    log = read_eval_log(file)
    samples = log.samples or []
    return {
        "task": log.eval.task,
        "model": log.eval.model,
        "status": log.status,
        "success": {sample.id: sample.scores["success"].value for sample in samples if sample.scores},
        "errors": [sample.id for sample in samples if sample.error],
        "roles": [[message.role for message in sample.messages] for sample in samples],
        "first": [sample.messages[0].text for sample in samples],
        "mean": log.results.scores[0].metrics["mean"].value if log.results else None,
    }


def lm_eval_table(file: str) -> str:
    """Show results as lm-evaluation-harness does."""
    from lm_eval.utils import make_table

    return str(make_table(json.loads(Path(file).read_text(encoding="utf-8"))))


def main() -> None:
    """Do the job."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    logs = [inspect_log(file) for file in job["options"]["inspect"]]
    tables = [lm_eval_table(file) for file in job["options"]["lm-eval"]]
    report = json.dumps({"logs": logs, "tables": tables})
    Path(f"{job['out']}.json").write_text(report, encoding="utf-8")


main()
