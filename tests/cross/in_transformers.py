"""Load checkpoints with transformers, in an environment of its own: python in_transformers.py JOB.json.

``checkpoints`` of the job maps names to folders; for each, out/NAME.safetensors gets ``served`` logits (the packed
layers' own arithmetic) and ``unpacked`` ones (the same weights in float32 arithmetic). A checkpoint that does not load
leaves the error in the report, and the others go on. Those that ``decompress`` of the options names are unpacked as
they are loaded; those that ``gptqmodel`` names are loaded by GPTQModel itself, because transformers stacks experts.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from job import Job

# GPTQModel counts its workers from the cores, and on two cores it is one short of what loading asks for.
os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")


def load(folder: str, options: dict[str, Any], name: str) -> Any:
    """Load a checkpoint in the way that suits it."""
    import torch
    from transformers import AutoModelForCausalLM, CompressedTensorsConfig

    if name in options["gptqmodel"]:
        from gptqmodel import BACKEND, GPTQModel

        backend = BACKEND.TORCH_AWQ if "awq" in name else BACKEND.TORCH
        return GPTQModel.load(folder, device="cpu", backend=backend, dtype=torch.float16).model
    # transformers 5.23 gives packed zero points a wrong shape when it keeps such weights packed.
    whole = {"quantization_config": CompressedTensorsConfig(run_compressed=False)}
    return AutoModelForCausalLM.from_pretrained(
        folder, device_map="cpu", **(whole if name in options["decompress"] else {})
    )


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    with job.stage("import"):
        import torch
        from kernels import unpack
        from safetensors.torch import save_file
    job.out.mkdir(parents=True)
    ids = torch.tensor(job.rows("prompt"))
    errors = {}
    # GPTQModel takes stacked experts apart in transformers itself, for all models that come after.
    checkpoints = sorted(job.settings["checkpoints"].items(), key=lambda item: item[0] in job.options["gptqmodel"])
    for name, folder in checkpoints:
        with job.stage(name):
            try:
                # Loaded twice: a kernel may repack its weights when it first runs.
                served = job.logits(load(folder, job.options, name).train(False))
                model = load(folder, job.options, name)
                tensors = {"served": served, "unpacked": job.logits(unpack(model))}
                save_file({"ids": ids, **tensors}, job.out / f"{name}.safetensors")
            except Exception as error:  # whatever another library raises is what the test reports
                errors[name] = f"{type(error).__name__}: {error}"
    job.write_report("compressed-tensors", errors=errors)


if __name__ == "__main__":
    main()
