"""Low-rank adapters for training (LoRA): frozen projections with a learnt product of two narrow matrices beside them.

Source: Hu et al. 2021, LoRA (2106.09685), equation 3: h = W x + (alpha / r) B A x, with A random and B zero at first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn


class _LowRank(torch.autograd.Function):
    """x W' + (x A') B', adding in place: a third of the memory traffic of two separate layers."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        narrow = flat @ a.t()
        out = flat @ weight.t() if bias is None else torch.addmm(bias, flat, weight.t())
        out.addmm_(narrow, b.t())
        ctx.save_for_backward(flat, weight, a, b, narrow)
        ctx.shape = x.shape
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        flat, weight, a, b, narrow = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])
        to_narrow = grad @ b
        to_x = (grad @ weight).addmm_(to_narrow, a)
        return to_x.view(ctx.shape), None, None, to_narrow.t() @ flat, grad.t() @ narrow


class LoraLinear(nn.Module):
    """A frozen linear layer with a low-rank term.

    Args:
        linear: its weight and bias are kept, in ``dtype``.
        rank: width of the two matrices.
        scale: alpha / rank.
        dtype: in which it computes; the two matrices are kept in float32.
    """

    def __init__(self, linear: nn.Linear, rank: int, scale: float, dtype: torch.dtype) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(linear.weight.detach().to(dtype), requires_grad=False)
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach().to(dtype), requires_grad=False)
        device = linear.weight.device
        self.lora_a = nn.Parameter(torch.empty(rank, linear.in_features, device=device))
        self.lora_b = nn.Parameter(torch.zeros(linear.out_features, rank, device=device))
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) for (..., in)."""
        b = self.lora_b.to(self.weight.dtype) * self.scale
        apply: Any = _LowRank.apply
        found = apply(x, self.weight, self.bias, self.lora_a.to(self.weight.dtype), b)
        return cast(Tensor, found)


def attach(model: Any, rank: int, alpha: float, dtype: torch.dtype) -> dict[str, LoraLinear]:
    """Freeze a model, bring it to ``dtype`` and give every linear layer but the head a low-rank term.

    Args:
        model: a transformers model; it is changed.
        rank: 1 or more.
        alpha: the term is scaled by alpha / rank.
        dtype: in which it computes from now on.

    Returns:
        Name of each such layer in the model -> the layer, in the order of the model.

    Raises:
        ValueError: if the model has no linear layer (some keep their projections in other modules).
    """
    head = model.get_output_embeddings()
    model.requires_grad_(False)
    model.to(dtype)
    layers: dict[str, LoraLinear] = {}
    for name, module in list(model.named_modules()):
        if type(module) is nn.Linear and module is not head:
            layers[name] = LoraLinear(module, rank, alpha / rank, dtype)
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, layers[name])
    if not layers:
        raise ValueError(f"{type(model).__name__} has no linear layer to adapt; train it whole")
    return layers


def load_terms(layers: Mapping[str, LoraLinear], tensors: Mapping[str, Tensor]) -> None:
    """Set the low-rank terms from the tensors of an adapter, named as :func:`peft_tensors` names them.

    Raises:
        ValueError: if it has other layers or shapes.
    """
    wanted = peft_tensors(layers)
    odd = sorted(set(wanted) ^ set(tensors)) or [n for n, t in wanted.items() if t.shape != tensors[n].shape]
    if odd:
        raise ValueError(
            f"the adapter does not fit the training ({len(odd)} tensors are missing, spare or of another shape, such "
            f"as {odd[0]}); train with its rank and model, or from its model without it"
        )
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(tensors[name])


def peft_tensors(layers: Mapping[str, LoraLinear]) -> dict[str, Tensor]:
    """Return the low-rank terms as the peft library names them in adapter_model.safetensors."""
    found: dict[str, Tensor] = {}
    for name, layer in layers.items():
        found[f"base_model.model.{name}.lora_A.weight"] = layer.lora_a.data
        found[f"base_model.model.{name}.lora_B.weight"] = layer.lora_b.data
    return found


def peft_config(layers: Mapping[str, LoraLinear], rank: int, alpha: float, base: str) -> dict[str, Any]:
    """Return what adapter_config.json says of it, for peft and for ``MODEL@lora:DIR``."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "use_rslora": False,
        "use_dora": False,
        "target_modules": sorted({name.rpartition(".")[2] for name in layers}),
    }
