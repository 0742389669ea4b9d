"""A comparison in, sentences, grids, figures and a page out; computes nothing."""

from acgym.report.page import write_report

__all__ = ["write_report"]
