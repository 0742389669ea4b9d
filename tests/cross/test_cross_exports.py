"""Inspect and lm-evaluation-harness read what acgym exports for them, hostile words and failed episodes included."""

from __future__ import annotations

import pytest

from acgym.export.run import export_run
from tests.cross import environments
from tests.helpers.report_runs import HOSTILE, NEEDLE, OTHER, TOOLS, finish, write_run

pytestmark = pytest.mark.cross


def test_the_tools_read_what_is_written_for_them(tmp_path):
    made = write_run(tmp_path / "run", words=HOSTILE)
    finish(made)
    files = {form: [str(file) for file in export_run(made.path, form, tmp_path / form, [OTHER])]
             for form in ("inspect", "lm-eval")}  # fmt: skip
    job = {"out": str(tmp_path / "read"), "options": files}
    report = environments.run(environments.python("readers"), "in_readers.py", job)
    logs = {log["task"]: log for log in report["logs"]}
    assert set(logs) == {TOOLS, NEEDLE}
    assert logs[NEEDLE]["mean"] == 0.5
    assert logs[NEEDLE]["success"] == {str(seed): int(seed > 2) for seed in range(6)}
    assert (logs[TOOLS]["errors"], logs[TOOLS]["status"]) == ([5], "success")
    assert logs[TOOLS]["first"][0].startswith("</script><script>window.hacked=1</script>")
    assert logs[TOOLS]["model"] == f"acgym/{OTHER}"
    (table,) = report["tables"]
    line = next(line for line in table.splitlines() if "|success " in line and "0.5000" in line)
    assert "±" in line
