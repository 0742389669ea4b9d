"""Compress a model with llm-compressor, in its own environment: python in_llmcompressor.py JOB.json."""

from __future__ import annotations

import sys
from typing import Any

from job import Job


def recipe(method: str, options: dict[str, Any]) -> Any:
    """Return the modifiers of a method, in the form that the toolkit's own examples have."""
    from llmcompressor.modifiers.gptq import GPTQModifier
    from llmcompressor.modifiers.pruning.sparsegpt import SparseGPTModifier
    from llmcompressor.modifiers.pruning.wanda import WandaPruningModifier
    from llmcompressor.modifiers.quantization import QuantizationModifier
    from llmcompressor.modifiers.transform.awq import AWQModifier
    from llmcompressor.modifiers.transform.smoothquant import SmoothQuantModifier

    linears: dict[str, Any] = {"targets": ["Linear"], "ignore": ["lm_head"]}
    scheme = options.get("scheme", "W4A16")
    if method == "gptq":
        return GPTQModifier(scheme=scheme, **linears)
    if method == "smoothquant-gptq":
        return [SmoothQuantModifier(smoothing_strength=0.8), GPTQModifier(scheme=scheme, **linears)]
    if method == "awq":
        return [AWQModifier(duo_scaling="both"), QuantizationModifier(scheme=scheme, **linears)]
    pruners = {"sparsegpt": SparseGPTModifier, "wanda": WandaPruningModifier}
    pattern = {"mask_structure": options["pattern"]} if "pattern" in options else {}
    return pruners[method](sparsity=0.5, targets=["Linear"], ignore=["re:.*lm_head"], **pattern)


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    with job.stage("import"):
        import torch
        from datasets import Dataset
        from llmcompressor import oneshot
        from transformers import AutoModelForCausalLM, AutoTokenizer

    # Its AWQ pins memory for a GPU without asking whether there is one; pinning changes no value.
    if not torch.cuda.is_available():
        torch.Tensor.pin_memory = lambda self, *args, **kwargs: self  # type: ignore[method-assign]
    with job.stage("load"):
        model = AutoModelForCausalLM.from_pretrained(job.model, dtype=job.torch_dtype())
        tokenizer = AutoTokenizer.from_pretrained(job.model)
        rows = job.rows("calibration")
        data = Dataset.from_list([{"input_ids": row, "attention_mask": [1] * len(row)} for row in rows])
    with job.stage("quantise"):
        oneshot(
            model=model,
            dataset=data,
            recipe=recipe(job.method, job.options),
            max_seq_length=max(map(len, rows)),
            num_calibration_samples=len(rows),
        )
    with job.stage("save"):
        model.save_pretrained(job.out, save_compressed=True)
        tokenizer.save_pretrained(job.out)
    if "prompt" in job.settings:
        job.write_logits(AutoModelForCausalLM.from_pretrained(job.out, dtype=torch.float32).train(False))
    job.write_report("llmcompressor", "compressed-tensors")


if __name__ == "__main__":
    main()
