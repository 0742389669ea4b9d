"""Quantise a model with GPTQModel, in its own environment: python in_gptqmodel.py JOB.json."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from job import Job

# Its pool of workers is counted from the cores, and on two cores it is one short of what loading asks for.
os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    with job.stage("import"):
        import torch
        from gptqmodel import BACKEND, GPTQModel
        from gptqmodel.quantization.config import AWQConfig, GPTQConfig
        from kernels import unpack
        from transformers import AutoTokenizer
    awq = job.method == "awq"
    settings: dict[str, Any] = {"bits": 4, "group_size": 128, **job.options}
    if "dynamic" in settings:
        settings["dynamic"] = json.loads(settings["dynamic"])
    with job.stage("load"):
        config = AWQConfig(**settings) if awq else GPTQConfig(**settings)
        model = GPTQModel.load(job.model, config, device="cpu", dtype=job.torch_dtype())
        tokenizer = AutoTokenizer.from_pretrained(job.model)
        rows = [{"input_ids": row, "attention_mask": [1] * len(row)} for row in job.rows("calibration")]
    with job.stage("quantise"):
        # Its default backend for AWQ asks for CUDA.
        model.quantize(rows, batch_size=1, **({"backend": BACKEND.TORCH_AWQ} if awq else {}))
    with job.stage("save"):
        model.save(str(job.out))
        tokenizer.save_pretrained(job.out)
    if "prompt" in job.settings:
        backend = BACKEND.TORCH_AWQ if awq else BACKEND.TORCH
        job.write_logits(unpack(GPTQModel.load(str(job.out), device="cpu", backend=backend, dtype=torch.float16).model))
    job.write_report("gptqmodel", "optimum")


if __name__ == "__main__":
    main()
