"""Scores an old run again from its episodes and signals: no model, no environment, seconds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TypeAlias, cast

from acgym.analysis.comparison import assemble_result
from acgym.analysis.result import RESULT, ComparisonResult
from acgym.record.episode import Episode
from acgym.record.intact import refuse_edited
from acgym.record.run import EPISODES, Run
from acgym.report.page import write_report

Scorer: TypeAlias = Callable[[Episode], float | bool | None]
"""Scores a finished episode anew: True or False for solved or not, or a number in [0, 1] for its progress (solved at
1); None where it cannot say."""


def rescore(
    folder: str | Path, scorer: Scorer | None = None, name: str | None = None, margin: float | None = None
) -> ComparisonResult:
    """Compute the numbers of a finished run anew and write them with their report.

    Args:
        folder: the run's folder; every agent has played every episode.
        scorer: judges each finished episode in place of the environment; None to keep what the environment said. An
            episode that it gives None for counts as failed (``n_failed``), never as a number.
        name: the scorer's name, a part of the files' names; must be given with a scorer.
        margin: as :func:`acgym.analysis.comparison.assemble_result` takes it; None for the one that was asked for when
            ``comparison.json`` was written, if any was.

    Returns:
        What was written to ``comparison.json`` and ``report.html``; with a scorer, to ``comparison-NAME.json`` and
        ``report-NAME.html``, so that the environment's own scores stay, with ``"scorer": name`` in it and without
        hand-offs, which were played under the old scores.

    Raises:
        FileNotFoundError: if there is no run in the folder.
        RecordDamaged: if an episode file is torn, edited or of a newer format.
        ValueError: if agents lack episodes, or the scorer gives something else than described.
    """
    if (scorer is None) != (name is None):
        raise ValueError("a scorer and its name go together")
    run = _Rescored(folder, scorer)
    result = assemble_result(run, kept_margin(run) if margin is None else margin)
    if name is not None:
        result = result.judged_by(name)
    suffix = "" if name is None else f"-{''.join(c if c.isalnum() else '_' for c in name)}"
    run.write_json(f"comparison{suffix}.json", result.to_json())
    write_report(result, run.path / f"report{suffix}.html", run)
    return result


def kept_margin(run: Run) -> float | None:
    """Return the margin that a run's comparison was asked about; None if it is not written or no number."""
    try:
        kept = (run.read_json(RESULT) or {}).get("margin")
    except ValueError:  # damaged: it is about to be written anew
        return None
    return kept if isinstance(kept, float) and 0 < kept < 1 else None


def load_scorer(spec: str) -> Scorer:
    """Import a scorer that the user named.

    Args:
        spec: ``module:function``; the module must be installed or lie in a folder of ``sys.path``.

    Raises:
        ValueError: if it is not written so, or there is no such function.
    """
    module, _, function = spec.partition(":")
    if not module or not function:
        raise ValueError(f"a scorer is written 'module:function', got {spec!r}")
    try:
        found = getattr(import_module(module), function, None)
    except ImportError as error:
        raise ValueError(f"the module {module!r} of the scorer cannot be imported: {error}") from None
    if not callable(found):
        raise ValueError(f"the module {module!r} has no function {function!r}")
    return cast(Scorer, found)


class _Rescored(Run):
    """A run whose episodes are looked over, and judged by another scorer, when they are read."""

    def __init__(self, folder: str | Path, scorer: Scorer | None) -> None:
        super().__init__(Path(folder), Run.read(folder).settings)
        self._scorer = scorer
        self._judged: dict[str, list[Episode]] = {}

    def episodes(self, agent: str) -> list[Episode]:
        """Read the agent's episodes and score them; once, since the report wants them too."""
        if agent not in self._judged:
            read = super().episodes(agent)
            refuse_edited(read, str(self.folder(agent) / EPISODES))
            judge = self._scorer
            self._judged[agent] = read if judge is None else [_judged(episode, judge) for episode in read]
        return self._judged[agent]


def _judged(episode: Episode, scorer: Scorer) -> Episode:
    """Return the episode with the scorer's judgement."""
    if episode.outcome == "failed":
        return episode
    value = scorer(episode)
    if value is None:
        return replace(episode, outcome="failed", failure="the scorer gave no score", success=None, progress=None)
    if not isinstance(value, bool | int | float) or not (math.isfinite(value) and 0 <= value <= 1):
        raise ValueError(
            f"a scorer must give True, False, a number from 0 to 1, or None; for {episode.env} seed {episode.seed} "
            f"it gave {value!r}"
        )
    return replace(episode, success=value == 1, progress=float(value))
