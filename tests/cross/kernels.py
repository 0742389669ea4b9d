"""What a toolkit's packed linear layers compute, as plain float32 layers. Needs torch, and nothing of acgym."""

from __future__ import annotations

from typing import Any


def unpack(model: Any) -> Any:
    """Put a float32 ``nn.Linear`` in place of each GPTQ or AWQ layer of a model, and the rest in float32 too.

    The weight is what the layer's own ``forward`` answers to the identity: each output is one weight times one, so
    nothing is rounded but what the kernel itself rounds. The model then has no other arithmetic than ours.
    """
    import torch

    for name, layer in list(model.named_modules()):
        if not hasattr(layer, "qweight"):  # compressed-tensors unpacks its layers itself, at the model's first call
            continue
        dtype = next((t.dtype for t in layer.buffers() if t.is_floating_point()), torch.float32)
        bias = getattr(layer, "bias", None)
        layer.train()  # where a kernel for inference repacks weights in bfloat16, the one for training does not
        with torch.no_grad():
            answered = layer(torch.eye(layer.in_features, dtype=dtype)[None])[0].float()
        dense = torch.nn.Linear(layer.in_features, layer.out_features, bias=bias is not None)
        if bias is not None:
            dense.bias.data = bias.detach().float()
            answered = answered - dense.bias.data
        dense.weight.data = answered.T.contiguous()
        model.set_submodule(name, dense)
    return torch.nn.Module.float(model).eval()  # transformers' own float() refuses a model that was quantised
