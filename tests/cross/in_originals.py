"""Prune a model with the authors' own code of SparseGPT or Wanda: python in_originals.py JOB.json.

``folder`` of the options is a checkout of IST-DASLab/sparsegpt or locuslab/wanda, whose functions are called as they
are. They were written for CUDA and for transformers 4.28, so what surrounds them is adapted: layers are shown in the
old form, synchronising with a GPU does nothing, and calibration rows are handed over instead of being downloaded.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from job import Job


def old_form(model: Any) -> list[Any]:
    """Wrap the decoder layers so that they take no rotary embedding and return a tuple; return them as they were."""
    import torch

    class Layer(torch.nn.Module):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, hidden: Any, **ignored: Any) -> tuple[Any]:
            positions = torch.arange(hidden.shape[1])[None]
            rotary = model.model.rotary_emb(hidden, positions)
            return (self.inner(hidden, attention_mask=None, position_ids=positions, position_embeddings=rotary),)

    layers = list(model.model.layers)
    for index, layer in enumerate(layers):
        model.model.layers[index] = Layer(layer)
    return layers


def prune(job: Job, model: Any, rows: list[list[int]]) -> None:
    """Call the authors' function."""
    import torch

    n, m = map(int, job.options.get("pattern", "0:0").split(":"))
    data = [(torch.tensor([row]), None) for row in rows]
    model.seqlen = len(rows[0])
    if job.method == "wanda":
        from lib import prune as wanda

        wanda.get_loaders = lambda *args, **kwargs: (data, None)
        model.hf_device_map = {}
        settings = Namespace(nsamples=len(rows), seed=0, sparsity_ratio=0.5, use_variant=False)
        wanda.prune_wanda(settings, model, None, torch.device("cpu"), prune_n=n, prune_m=m)
        return
    import llama

    llama.args = Namespace(
        nsamples=len(rows), true_sequential=False, minlayer=-1, maxlayer=1000, prune_only="", invert=False, wbits=16,
        sparsity=0.5, prunen=n, prunem=m, percdamp=0.01, blocksize=128,
    )  # fmt: skip
    llama.llama_sequential(model, data, torch.device("cpu"))


def main() -> None:
    """Do the job."""
    job = Job(sys.argv[1])
    with job.stage("import"):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        sys.path.insert(0, job.options["folder"])
        torch.cuda.synchronize = lambda device=None: None
    with job.stage("load"):
        model = AutoModelForCausalLM.from_pretrained(job.model, dtype=job.torch_dtype()).train(False)
        tokenizer = AutoTokenizer.from_pretrained(job.model)
        rows = job.rows("calibration")
        layers = old_form(model)
    with job.stage("quantise"), redirect_stdout(StringIO()):
        prune(job, model, rows)
    with job.stage("save"):
        for index, layer in enumerate(layers):
            model.model.layers[index] = layer
        model.save_pretrained(job.out)
        tokenizer.save_pretrained(job.out)
    job.write_report()


if __name__ == "__main__":
    main()
