"""Linear modules that hold their weight as packed integers and multiply with it as it is, by torch's CPU kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acgym.compress.packed.int_product import int_product

KERNEL_GROUPS = (256, 128, 64, 32)
"""Group sizes that torch's int4 product knows, largest first."""
ROWS = 16
"""The int4 product takes output features in multiples of this; missing ones are filled up and cut off again."""
COLUMNS = 32
"""The bfloat16 kernels read this many inputs at a time and do not check for a ragged end: never call them with one."""
MANY_TOKENS = 16
"""From here on int8 weights are widened for one dense product: torch's int8 kernel is made for few tokens."""

_NEEDED = {
    "int4": ("_convert_weight_to_int4pack_for_cpu", "_weight_int4pack_mm_for_cpu"),
    "int8": ("_weight_int8pack_mm",),
    "w8a8": ("_int_mm",),
}


def require(kernel: str) -> None:
    """Refuse a kernel (``int4``, ``int8`` or ``w8a8``) that this torch does not have.

    Raises:
        ValueError: naming the missing operations and the remedy.
    """
    missing = [name for name in _NEEDED[kernel] if not hasattr(torch, name)]
    if missing:
        raise ValueError(
            f"torch {torch.__version__} has no {', '.join(missing)}, which packed {kernel} execution on a CPU needs; "
            "install torch 2.6 or newer, or play the model simulated (leave '+packed' away)"
        )


class PackedLinear(nn.Module):
    """Base of the packed modules: y = x W^T + b, with W as integers and the arithmetic in bfloat16.

    Input (..., in) of any floating dtype, output (..., out) of the same dtype. Everything is a buffer: nothing trains.

    Args:
        shape: (out, in).
        bias: (out,) or None.
        order: (in,), the input features in the order in which W holds its columns; None for their own order.
    """

    bias: Tensor | None
    order: Tensor | None
    kernel: str
    """What multiplies, for the record."""

    def __init__(self, shape: Sequence[int], bias: Tensor | None, order: Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = shape
        self.register_buffer("bias", None if bias is None else bias.detach().clone())
        self.register_buffer("order", order)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return x W^T + b."""
        x = inputs.flatten(0, -2)
        if self.order is not None:
            x = x[:, self.order]
        y = self.product(x).to(inputs.dtype)
        if y.shape[1] != self.out_features:
            y = y[:, : self.out_features]
        if self.bias is not None:
            y = y + self.bias
        return y.reshape(*inputs.shape[:-1], self.out_features)

    def product(self, x: Tensor) -> Tensor:
        """Return x W^T, (tokens, at least out), in a dtype of its own; x is (tokens, in)."""
        raise NotImplementedError

    @property
    def weight_bytes(self) -> int:
        """Bytes that the weight takes in memory, scales and zero points included."""
        return sum(b.numel() * b.element_size() for name, b in self.named_buffers() if name != "bias")

    def extra_repr(self) -> str:
        """Describe the module in one line."""
        return f"in_features={self.in_features}, out_features={self.out_features}, kernel={self.kernel}"


class Int4Linear(PackedLinear):
    """Group-wise integers of up to 8 bits in one or two planes of nibbles: W = scale (16 high + low - zero).

    Torch's int4 product computes (nibble - 8) a + b with a and b in bfloat16 for each group. Up to 4 bits are one plane
    with a = scale, b = scale (8 - zero). 8 bits are two, the sum of two products: it is the only way in which torch
    multiplies with group-wise 8-bit weights without unpacking them, and costs two int4 products.

    Args:
        codes: (out, in), any integer dtype, in [0, 2^bits - 1], columns in ``order``.
        scale: (out, in / group), floating point.
        zero: (out, in / group), whole numbers.
        group: one of KERNEL_GROUPS.
        bits: of the codes; 5 to 8 make two planes.
        bias: see :class:`PackedLinear`.
        order: see :class:`PackedLinear`.
    """

    def __init__(
        self,
        codes: Tensor,
        scale: Tensor,
        zero: Tensor,
        group: int,
        bits: int,
        bias: Tensor | None,
        order: Tensor | None = None,
    ) -> None:
        require("int4")
        super().__init__(codes.shape, bias, order)
        self.group = group
        codes, scale, zero = codes.short(), scale.float(), zero.short()
        if bits <= 3:  # there is room to move every zero point to 8, where no constant is left to be rounded
            planes = [(codes + (8 - zero).repeat_interleave(group, 1), scale, torch.zeros_like(scale))]
        elif bits == 4:
            planes = [(codes, scale, scale * (8 - zero))]
        else:  # each plane is centred by itself, so that neither carries a large constant that the other takes away
            planes = [
                (codes // 16, 16 * scale, scale * (128 - zero)),
                (codes % 16, scale, scale * 8),
            ]
        self.kernel = "int4" if len(planes) == 1 else "2 x int4"
        for index, (nibbles, a, b) in enumerate(planes):
            fill = (0, 0, 0, -nibbles.shape[0] % ROWS)
            packed = torch._convert_weight_to_int4pack_for_cpu(F.pad(nibbles.int(), fill), 1)
            self.register_buffer(f"packed{index}", packed)
            table = torch.stack([F.pad(a, fill), F.pad(b, fill)], -1).transpose(0, 1)
            self.register_buffer(f"table{index}", table.bfloat16().contiguous())
        self.planes = len(planes)

    def product(self, x: Tensor) -> Tensor:
        """Return x W^T, bfloat16."""
        x = x.bfloat16().contiguous()
        products = [
            torch._weight_int4pack_mm_for_cpu(
                x, getattr(self, f"packed{index}"), self.group, getattr(self, f"table{index}")
            )
            for index in range(self.planes)
        ]
        return sum(products[1:], products[0])


class Int8Linear(PackedLinear):
    """8-bit integers with one scale per row: W = scale (weight + offset).

    Args:
        codes: (out, in), integers in [0, 255]; ``in`` is a multiple of COLUMNS.
        scale: (out, 1), floating point.
        zero: (out, 1), whole numbers in [0, 255].
        bias: see :class:`PackedLinear`.
    """

    weight: Tensor
    scale: Tensor
    offset: Tensor | None
    kernel = "int8"

    def __init__(self, codes: Tensor, scale: Tensor, zero: Tensor, bias: Tensor | None) -> None:
        require("int8")
        super().__init__(codes.shape, bias, None)
        self.register_buffer("weight", (codes.short() - 128).to(torch.int8))
        self.register_buffer("scale", scale[:, 0].bfloat16())
        offset = 128 - zero[:, 0].float()
        self.register_buffer("offset", offset * scale[:, 0].float() if bool(offset.any()) else None)

    def product(self, x: Tensor) -> Tensor:
        """Return x W^T; bfloat16, or float32 where rows have an offset."""
        x = x.bfloat16().contiguous()
        if len(x) < MANY_TOKENS:
            y = torch._weight_int8pack_mm(x, self.weight, self.scale)
        else:
            y = F.linear(x, self.weight.bfloat16()) * self.scale
        return y if self.offset is None else y.float() + x.float().sum(1, keepdim=True) * self.offset


class W8A8Linear(PackedLinear):
    """8-bit weights with one scale per row times 8-bit inputs with one scale per token, added up in 32-bit integers.

    The input's scale is max|x| / 127 of its token, taken anew for each (dynamic), halves rounded to even.

    Args:
        codes: (out, in), integers in [0, 255].
        scale: (out, 1), floating point.
        zero: (out, 1), whole numbers; 128 in every row (symmetric).
        bias: see :class:`PackedLinear`.
    """

    weight: Tensor
    scale: Tensor
    kernel = "w8a8"

    def __init__(self, codes: Tensor, scale: Tensor, zero: Tensor, bias: Tensor | None) -> None:
        require("w8a8")
        if bool((zero != 128).any()):
            raise ValueError("8-bit inputs need symmetric 8-bit weights: every zero point must be 128")
        super().__init__(codes.shape, bias, None)
        self.register_buffer("weight", (codes.short() - 128).to(torch.int8))
        self.register_buffer("scale", scale[:, 0].float())

    def product(self, x: Tensor) -> Tensor:
        """Return x W^T, float32."""
        x = x.float()
        step = (x.abs().amax(1, keepdim=True) / 127).clamp_min_(torch.finfo(x.dtype).tiny)  # a token of zeros
        integers = (x / step).round_().to(torch.int8)
        return int_product(integers, self.weight.T) * (step * self.scale)
