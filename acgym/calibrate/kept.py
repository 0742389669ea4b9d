"""Keeps in a run's folder what a model played for its calibration, so that nobody lets it play for that again."""

from __future__ import annotations

import hashlib

from acgym.calibrate.sample import Drawn, digest_of
from acgym.calibrate.spec import Calibration
from acgym.record.run import Run
from acgym.types import Json, canonical_json


def keep(run: Run, model: str, calibration: Calibration, drawn: Drawn) -> None:
    """Write down what :func:`acgym.calibrate.sample.draw` made, if the model had to play for it.

    Other workers of the run find it there, and so do later commands. Texts and conversations are read anew instead:
    that takes no time.

    Args:
        run: whose settings say in which environments the model played.
        model: the spec of the dense model.
        calibration: what it was drawn for.
        drawn: what came of it.

    Raises:
        OSError: if it cannot be written.
    """
    if any(source.kind == "trajectories" for source in calibration.sources):
        run.write_json(_file(model, calibration), {"model": model, **drawn._asdict()})


def kept(run: Run, model: str, calibration: Calibration) -> Drawn | None:
    """Return what :func:`keep` wrote for the same model and calibration; None if it is not there, or not as it was."""
    try:
        found: Json = run.read_json(_file(model, calibration))
        sequences, facts = found["sequences"], found["facts"]
        whole = all(type(token) is int and token >= 0 for ids in sequences for token in ids)
        right = whole and facts["calibration"] == str(calibration) and facts["tokens_sha256"] == digest_of(sequences)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return Drawn(sequences, facts) if right else None


def _file(model: str, calibration: Calibration) -> str:
    digest = hashlib.sha256(canonical_json([model, str(calibration), calibration.seed or 0]).encode()).hexdigest()
    return f"calibration-{digest[:12]}.json"
