"""The jobs on a run: play agents on the same episodes, probe, compare, write the report.

``prepare`` checks everything before anything expensive begins; ``run_comparison`` does it.
"""

from acgym.compare.run import run_comparison
from acgym.compare.settings import Settings, prepare

__all__ = ["Settings", "prepare", "run_comparison"]
