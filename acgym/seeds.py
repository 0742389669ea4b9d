"""Which random numbers an episode has, and which seeds are whose: evaluation's, calibration's, training's."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping

import numpy as np

from acgym.types import Json, Split, canonical_json

CALIBRATION_SEEDS = 2 * 10**15
"""First seed of the episodes that are played for calibration, which has 10**15 of them; evaluation counts up from 0."""
TRAINING_SEEDS = (4 * 10**15, 9 * 10**15)
"""First seed of the episodes that are learnt from, and the first after them; all seeds are exact in a float64."""


def episode_generator(env_id: str, arguments: Mapping[str, Json], split: Split, seed: int) -> np.random.Generator:
    """Return the generator of one episode.

    Everything that names the episode goes into it (SHA-256 of canonical JSON, then NumPy's PCG64), so environments,
    levels and splits share no random numbers under the same seed: their episodes are independent, as the statistics
    take them to be.

    Args:
        env_id: Gymnasium id, or any other stable name.
        arguments: of the environment; JSON.
        split: ``"eval"`` or ``"train"``.
        seed: 0 or larger.
    """
    name = canonical_json([env_id, arguments, split, int(seed)])
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    # The same seed as an integer and as its words, the lowest first; words are faster, and none may be zero at the top.
    words = np.frombuffer(digest[::-1], "<u4")
    return np.random.Generator(np.random.PCG64(words if words[-1] else int.from_bytes(digest, "big")))


def named_arguments(cls: type, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, Json]:
    """Name the arguments of a construction, defaults included, but ``render_mode``, which changes no task.

    Whole floats are written as integers, so that equal arguments are one name. What JSON cannot write (a function, say)
    has no name and is left out. Arguments that do not fit give an empty dictionary: ``__init__`` refuses them.
    """
    try:
        bound = inspect.signature(getattr(cls, "__init__", cls)).bind(None, *args, **kwargs)
    except TypeError:
        return {}
    bound.apply_defaults()
    _, *parameters = bound.signature.parameters.values()  # without self
    named = {parameter.name: bound.arguments[parameter.name] for parameter in parameters}
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            named.update(named.pop(parameter.name))
    return {name: _whole(value) for name, value in named.items() if name != "render_mode" and _is_json(value)}


def _whole(value: Json) -> Json:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_json(value: object) -> bool:
    try:
        canonical_json(value)
    except (TypeError, ValueError):
        return False
    return True
