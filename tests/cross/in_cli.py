"""Run acgym's command line from this checkout in another environment: python in_cli.py JOB.json.

``arguments`` of the options are the words of the command; the report holds its status and what it said.
"""

from __future__ import annotations

import sys
from pathlib import Path

from job import Job

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    from typer.testing import CliRunner

    from acgym.cli.app import app

    with job.stage("command"):
        done = CliRunner().invoke(app, job.options["arguments"])
    job.write_report(status=done.exit_code, said=done.output)


if __name__ == "__main__":
    main()
