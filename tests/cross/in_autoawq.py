"""Quantise a model with AutoAWQ, in its own environment: python in_autoawq.py JOB.json."""

from __future__ import annotations

import sys
from typing import Any

from job import Job


def unpack(model: Any) -> None:
    """Put dense weights in place of the packed ones, with the toolkit's own unpacking; its kernels need a GPU."""
    import torch
    from awq.modules.linear import WQLinear_GEMM
    from awq.utils.packing_utils import dequantize_gemm

    for name, module in list(model.named_modules()):
        if isinstance(module, WQLinear_GEMM):
            weight = dequantize_gemm(module.qweight, module.qzeros, module.scales, module.w_bit, module.group_size)
            dense = torch.nn.Linear(module.in_features, module.out_features, bias=module.bias is not None)
            dense.weight.data = weight.T.float()
            if module.bias is not None:
                dense.bias.data = module.bias.float()
            model.set_submodule(name, dense)


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    with job.stage("import"):
        from awq import AutoAWQForCausalLM
        from transformers import AutoTokenizer
    with job.stage("load"):
        dtype = job.torch_dtype()
        model = AutoAWQForCausalLM.from_pretrained(
            job.model, device_map="cpu", trust_remote_code=False, **({} if dtype == "auto" else {"torch_dtype": dtype})
        )
        tokenizer = AutoTokenizer.from_pretrained(job.model)
        rows = job.rows("calibration")
    settings = {"zero_point": True, "q_group_size": 128, "w_bit": 4, "version": "GEMM", **job.options}
    with job.stage("quantise"):
        model.quantize(
            tokenizer,
            quant_config=settings,
            calib_data=rows,
            max_calib_samples=len(rows),
            max_calib_seq_len=max(map(len, rows)),
        )
    with job.stage("save"):
        model.save_quantized(str(job.out))
        tokenizer.save_pretrained(job.out)
    if "prompt" in job.settings:
        unpack(model.model)
        job.write_logits(model.model.float().eval())
    job.write_report("autoawq")


if __name__ == "__main__":
    main()
