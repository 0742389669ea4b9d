"""A comparison in a script's hands: tables, data frames, pairs of episodes, figures.

``acgym.compare`` and ``acgym.open_run`` return a :class:`acgym.results.comparison.ComparisonResult`.
"""
