"""Compress a model with acgym in a process of its own, as the other toolkits are run: python in_acgym.py JOB.json.

``method`` is a recipe. With ``checkpoints`` (name -> folder) and ``held_out`` in the job, it measures instead: the mean
negative log-likelihood of each checkpoint on the agent's tokens of those rows, in nats per token. ``method`` "forward"
compresses nothing: it runs the model's body over the calibration twice, as every method that reads one layer after the
other must. With the option ``stream`` the model is never whole in memory (``acgym compress --stream``); reading it,
writing and reading back then count as compressing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from job import Job


def nll(model: Any, rows: list[tuple[list[int], list[int]]]) -> float:
    """Return the mean negative log-likelihood of all targets, in nats per token; -100 is none."""
    import torch

    total, count = 0.0, 0
    with torch.no_grad():
        for ids, targets in rows:
            logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float()
            total += float(torch.nn.functional.cross_entropy(logits, torch.tensor(targets), reduction="sum"))
            count += sum(target >= 0 for target in targets)
    return total / count


def measure(job: Job) -> None:
    """Read every checkpoint and measure it."""
    import acgym

    rows: Any = job.rows("held_out")
    found = {}
    for name, folder in job.settings["checkpoints"].items():
        player: Any = acgym.agent(f"hf:{folder}")
        found[name] = nll(player.model.float(), rows)
    job.write_report(nll=found, tokens=sum(target >= 0 for _, targets in rows for target in targets))


def forward(job: Job) -> None:
    """Run the body of the model over the calibration, twice."""
    with job.stage("import"):
        import torch

        from acgym.agents.local import load
        from acgym.compress.walk.replay import batches
    with job.stage("load"):
        body: Any = load(job.model).model.base_model
        rows = job.rows("calibration")
    with job.stage("quantise"), torch.no_grad():
        for _ in range(2):
            for batch in batches(rows):
                body(input_ids=torch.tensor(batch), use_cache=False)
    with job.stage("save"):
        pass
    job.write_report()


def compress(job: Job) -> None:
    """Compress and write."""
    with job.stage("import"):
        from acgym.agents.local import load
        from acgym.compress import parse
        from acgym.compress.formats.layouts import Kept
        from acgym.compress.formats.scheme import scheme_of
        from acgym.compress.formats.write import write_checkpoint
        from acgym.compress.walk.layers import compress as compress_model
    recipe = parse(job.method)
    with job.stage("load"):
        loaded = load(job.model)
        rows = job.rows("calibration")
    kept = Kept()
    with job.stage("quantise"):
        compress_model(loaded.model, recipe, rows, keep=kept)
    with job.stage("save"):
        job.out.mkdir(parents=True)
        write_checkpoint(loaded.model, job.out, job.options["format"], scheme_of(recipe), kept)
        loaded.tokenizer.save_pretrained(job.out)
    job.write_report()


def stream(job: Job) -> None:
    """Compress layer by layer, from one folder to another."""
    with job.stage("import"):
        import torch

        from acgym.compress.stream.folder import compress_folder
    with job.stage("load"):
        rows = job.rows("calibration")
    with job.stage("quantise"):
        compress_folder(job.model, job.method, rows, job.out, format=job.options["format"], dtype=torch.float32)
    with job.stage("save"):
        pass
    job.write_report()


def main() -> None:
    """Do the job."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # this checkout
    job = Job(sys.argv[1])
    if "checkpoints" in job.settings:
        measure(job)
    elif job.method == "forward":
        forward(job)
    elif job.options.get("stream"):
        stream(job)
    else:
        compress(job)


if __name__ == "__main__":
    main()
