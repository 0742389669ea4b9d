"""Numbers in, tests and intervals out: paired, clustered, sequential; NumPy and SciPy only."""

from acgym.statistics.paired import (
    Interval,
    holm,
    mcnemar,
    mcnemar_mid_p,
    mean_interval,
    paired_difference,
    tango,
    wilson,
)

__all__ = ["Interval", "holm", "mcnemar", "mcnemar_mid_p", "mean_interval", "paired_difference", "tango", "wilson"]
