"""Round to nearest: every weight goes to the next point of its group's grid."""

from __future__ import annotations

from torch import Tensor

from acgym.compress.calibration import Compressed, Statistics
from acgym.compress.options import Affine
from acgym.compress.quantise import quantise_groups


def rtn(weight: Tensor, statistics: Statistics, options: Affine) -> Compressed:
    """Round each weight to the nearest point of the min-max grid of its group; no calibration is read.

    Args:
        weight: (out, in), float32 or float64.
        statistics: not read.
        options: bits, group size, symmetric or not; 16 bits return the weight as it is.

    Returns:
        The rounded weight, (out, in), same dtype.

    Raises:
        ValueError: if the group size does not divide in.
    """
    columns = weight.shape[1]
    options.check(columns)
    if options.bits == 16:
        return Compressed(weight)
    return Compressed(quantise_groups(weight, options.bits, options.group_size(columns), options.symmetric))
