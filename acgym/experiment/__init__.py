"""The jobs on a run: play agents on the same episodes, probe, compare, write the report.

``prepare`` checks everything before anything expensive begins; ``run_comparison`` does it.
"""

from acgym.experiment.run import run_comparison
from acgym.experiment.settings import Settings, prepare

__all__ = ["Settings", "prepare", "run_comparison"]
