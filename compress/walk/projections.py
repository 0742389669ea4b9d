"""The weights that are compressed: linear projections in the decoder layers, and the matrices of fused experts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


@dataclass(frozen=True, slots=True)
class Expert:
    """One matrix of one expert, seen as if it were an ``nn.Linear``, where a model keeps its experts in 3-D parameters.

    transformers stacks the experts of a layer: ``gate_up_proj`` is (experts, 2 * inner, hidden), ``down_proj`` is
    (experts, hidden, inner).
    """

    experts: nn.Module
    index: int
    part: Literal["gate_up_proj", "down_proj"]

    @property
    def weight(self) -> Tensor:
        """(out, in): a view, so that writing into it changes the model."""
        return cast(Tensor, getattr(self.experts, self.part)).detach()[self.index]

    @property
    def bias(self) -> None:
        """Experts with biases are not seen this way."""
        return None

    @property
    def out_features(self) -> int:
        """Number of outputs."""
        return self.weight.shape[0]

    @property
    def in_features(self) -> int:
        """Number of inputs."""
        return self.weight.shape[1]


Projection: TypeAlias = nn.Linear | Expert


def decoder_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return name to decoder layer: the longest outermost ``nn.ModuleList`` whose members all hold an ``nn.Linear``.

    Raises:
        ValueError: if there is none.
    """
    found: dict[str, nn.ModuleList] = {}
    for name, module in model.named_modules():  # parents come before their children
        inner = any(name.startswith(f"{outer}.") for outer in found)
        if isinstance(module, nn.ModuleList) and len(module) and not inner and all(map(projections, module)):
            found[name] = module
    if not found:
        held = sorted({type(m).__name__ for m in model.modules() if getattr(m, "weight", None) is not None})
        raise ValueError(
            f"no decoder layers found in {type(model).__name__}: expected an nn.ModuleList whose members hold "
            "nn.Linear projections, as in Llama or Qwen2 models of transformers; "
            f"its modules with weights are {', '.join(held) or 'none'}"
        )
    name = max(found, key=lambda name: len(found[name]))
    return {f"{name}.{index}": layer for index, layer in enumerate(found[name])}


def projections(layer: nn.Module) -> dict[str, Projection]:
    """Return name to projection inside a layer; those of fused experts are ``NAME.EXPERT.gate_up_proj`` and so on."""
    found: dict[str, Projection] = {}
    for name, module in layer.named_modules():
        if isinstance(module, nn.Linear):
            found[name] = module
        elif is_experts(module):
            for index in range(cast(Any, module).gate_up_proj.shape[0]):
                found[f"{name}.{index}.gate_up_proj"] = Expert(module, index, "gate_up_proj")
                found[f"{name}.{index}.down_proj"] = Expert(module, index, "down_proj")
    return found


ROUTER_NAMES = ("router", "router_gate", "shared_expert_gate")
"""Last names of linear modules that choose or weigh experts, in the models of transformers."""
ROUTER_TYPES = ("router", "gating")
"""Endings of the names of their types, or of the types of the modules that hold them, in small letters."""
GATE = "gate"
"""The same of a module that is a router only beside the experts: attention has gates too."""


def routers(layer: nn.Module) -> list[str]:
    """Return the names of the linear modules in a layer that choose experts, or weigh a shared one.

    A model is told by them which experts see a token, so that a small error there is a large one behind. Most models of
    transformers keep them as bare parameters; those that have an ``nn.Linear`` for them are told by its name
    (``router``, ``shared_expert_gate``), its type (``Llama4Router``) or that of what holds it
    (``JetMoeTopKGating.layer``, ``LongcatFlashTopkRouter.classifier``, all of ``ZayaRouter.router_mlp``), or as the
    gate of the module that holds the experts (``mlp.gate`` or ``mlp.gate.wg`` beside ``mlp.experts``, not
    ``self_attn.forget_gate``). A layer without experts has none.
    """
    types = {name: type(module).__name__.lower() for name, module in layer.named_modules()}
    if not any("moe" in kind or "expert" in kind or kind.endswith("router") for kind in types.values()):
        return []
    holders = {name.rpartition(".")[0] for name in types if name.rpartition(".")[2].endswith("experts")}

    def chooses(name: str) -> bool:
        around, _, last = name.rpartition(".")
        if last in ROUTER_NAMES or types[name].endswith(ROUTER_TYPES):
            return True
        return around in holders and (last == GATE or types[name].endswith(GATE))

    found = []
    for name, module in layer.named_modules():
        parts = name.split(".")
        if isinstance(module, nn.Linear) and any(chooses(".".join(parts[:end])) for end in range(1, len(parts) + 1)):
            found.append(name)
    return found


def input_sizes(model: nn.Module) -> dict[str, int]:
    """Return full name to number of input features of the projections in a model's decoder layers, routers left out."""
    found: dict[str, int] = {}
    for layer, module in decoder_layers(model).items():
        left = routers(module)
        inside = {name: item.in_features for name, item in projections(module).items() if name not in left}
        found |= {f"{layer}.{name}": count for name, count in inside.items()}
    return found


def is_experts(module: nn.Module) -> bool:
    """Say whether a module holds gated experts in the stacked form that :class:`Expert` understands.

    transformers marks every such module with its layout. Transposed, interleaved, biased or ungated experts
    (GPT-OSS, for one) are not understood and stay as they are.
    """
    marks: Any = module
    plain = (
        getattr(module, "has_gate", False)
        and getattr(module, "is_concatenated", False)
        and not getattr(module, "is_transposed", True)
        and not getattr(module, "has_bias", True)
        and not getattr(module, "has_post_expert_norm", False)
    )
    if not plain or not all(isinstance(getattr(marks, part, None), Tensor) for part in ("gate_up_proj", "down_proj")):
        return False
    up, down = marks.gate_up_proj.shape, marks.down_proj.shape
    return len(up) == len(down) == 3 and (up[0], up[1], up[2]) == (down[0], 2 * down[2], down[1])


def expert_inputs(experts: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], index: int) -> list[Tensor]:
    """Return what the two matrices of one expert read in a call of the stacked experts.

    Args:
        experts: the stacked experts.
        args: positional arguments of the call: hidden states (tokens, hidden), chosen experts (tokens, k), shares.
        kwargs: the same by name.
        index: which expert.

    Returns:
        Inputs of ``gate_up_proj``, (n, hidden), and of ``down_proj``, (n, inner); empty if no token chose the expert.
    """
    hidden = args[0] if args else kwargs["hidden_states"]
    chosen = args[1] if len(args) > 1 else kwargs["top_k_index"]
    inputs = hidden[(chosen == index).any(-1)]
    if not len(inputs):
        return []
    own: Any = experts
    return [inputs, own._apply_gate(linear(inputs, own.gate_up_proj[index]))]


def place(name: str, projection: Projection) -> tuple[str, int]:
    """Return the full name of the parameter that holds a projection's weight, and the element at which it begins.

    Args:
        name: full name of the projection.
        projection: see :func:`projections`.
    """
    if isinstance(projection, Expert):
        return f"{name.rsplit('.', 2)[0]}.{projection.part}", projection.index * projection.weight.numel()
    return f"{name}.weight", 0


def identity(projection: Projection) -> tuple[int, ...]:
    """Return what tells one weight from another; equal for tied ones."""
    if isinstance(projection, Expert):
        return id(getattr(projection.experts, projection.part)), projection.index
    return (id(projection.weight),)


def unreached(layers: Mapping[str, nn.Module]) -> list[str]:
    """Note matrices in the layers that are in no projection (routers, odd experts) and therefore stay as they are."""
    missed: dict[str, int] = {}
    for name, layer in layers.items():
        reached = {id(p.weight) for p in projections(layer).values() if isinstance(p, nn.Linear)}
        reached |= {id(p) for m in layer.modules() if is_experts(m) for p in m.parameters(recurse=False)}
        for key, parameter in layer.named_parameters():
            if parameter.dim() > 1 and id(parameter) not in reached:
                missed[f"{name}.{key}"] = parameter.numel()
    if not missed:
        return []
    names = ", ".join(list(missed)[:3]) + (f" and {len(missed) - 3} more" if len(missed) > 3 else "")
    return [
        f"{sum(missed.values())} weights inside the decoder layers are not in nn.Linear and stay in 16 bits: {names}"
    ]


def working(weight: Tensor) -> Tensor:
    """Return a weight in the dtype that methods compute in: float64 as it is, all else as float32."""
    weight = weight.detach()
    return weight if weight.dtype == torch.float64 else weight.float()
