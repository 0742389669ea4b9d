"""From signals at tokens to signals along an episode: an index of (seed, turn), and values by turn and by episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acgym.probe.signals import energy_change
from acgym.record.tokens import Place, TokenSequence

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
AGREEMENT = "topk_"


def along_episodes(
    arrays: Arrays, sequences: Sequence[TokenSequence], places: Sequence[Place], dense: Arrays | None = None
) -> dict[str, NDArray[Any]]:
    """Return arrays that say which episode and turn each token of :class:`acgym.probe.signals.Signals` is of, and
    values.

    Args:
        arrays: the arrays of signals on the sequences.
        sequences: what was probed.
        places: of each sequence, from :func:`acgym.record.tokens.placed_sequences`.
        dense: the dense model's arrays on the same sequences; None if there is none to compare with.

    Returns:
        * ``seed`` (int64) and ``turn`` (int32), (n_tokens,);
        * ``turn/seed``, ``turn/turn``, ``turn/n`` (tokens) and ``turn/NAME``, (turns,): the mean of each column of
          tokens over the turn;
        * ``episode_value/seed``, ``episode_value/n`` and ``episode_value/NAME``, (episodes,): the same over the
          episode, and ``erank`` and ``diff_erank``, the mean over its sequences;
        * with ``dense``, ``episode/seed`` and ``episode/NAME``, (episodes,): what was lost, larger for more damage, see
          :func:`damage`.

        Values are float32; NaN is "not defined there".
    """
    tokens = [(place, turn, end - start) for (_, spans), place in zip(sequences, places, strict=True)
              for (start, end), turn in zip(spans, place.turns, strict=True)]  # fmt: skip
    lengths = [n for _, _, n in tokens]
    episode, seed, turn = (
        np.repeat(np.array(column, dtype=np.int64), lengths)
        for column in ([p.episode for p, _, _ in tokens], [p.seed for p, _, _ in tokens], [t for _, t, _ in tokens])
    )
    if len(seed) != len(arrays["sequence"]):
        raise ValueError(f"the signals are of {len(arrays['sequence'])} tokens, the sequences of {len(seed)}")
    found: dict[str, NDArray[Any]] = {"seed": seed, "turn": turn.astype(np.int32)}
    columns = {name: column for name, column in arrays.items() if len(column) == len(seed) and _is_value(name)}
    by_turn = _starts(episode, turn)
    found |= {"turn/seed": seed[by_turn], "turn/turn": turn[by_turn].astype(np.int32)}
    found |= {f"turn/{name}": value for name, value in _means(columns, by_turn).items()}
    by_episode = _starts(episode)
    values = _means(columns, by_episode) | _ranks(arrays, places)
    found["episode_value/seed"] = seed[by_episode]
    found |= {f"episode_value/{name}": value for name, value in values.items()}
    if dense is not None and "kl" in arrays:
        lost = damage(arrays, values, _ranks(dense, places), by_episode)
        found["episode/seed"] = seed[by_episode]
        found |= {f"episode/{name}": value for name, value in lost.items()}
    return found


def damage(
    arrays: Arrays, values: Arrays, dense_ranks: Arrays, starts: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """Return of each episode what was lost from the dense to the compressed model, larger for more damage.

    ``erank`` and ``diff_erank``: dense minus other; ``margin``: the same of the mean margins; ``js``: its mean;
    ``energy_w1`` and ``energy_ks``: distances of the two distributions of energy over the episode's tokens; and
    ``topk_NAME@k``: 1 minus the mean agreement.

    Args:
        arrays: of the pair, by token.
        values: its means by episode.
        dense_ranks: ``erank`` and ``diff_erank`` of the dense model by episode.
        starts: index of each episode's first token.
    """
    pieces = zip(np.split(arrays["energy_dense"], starts[1:]), np.split(arrays["energy"], starts[1:]), strict=True)
    energies = [energy_change(dense, other) for dense, other in pieces]
    found = {name: dense_ranks[name] - values[name] for name in ("erank", "diff_erank")}
    found |= {"margin": values["margin_dense"] - values["margin"], "js": values["js"]}
    found |= {name: np.array([e[name] for e in energies], dtype=np.float32) for name in ("energy_w1", "energy_ks")}
    return found | {name: np.float32(1) - value for name, value in values.items() if name.startswith(AGREEMENT)}


def _is_value(name: str) -> bool:
    return "/" not in name and name not in ("sequence", "position")


def _starts(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where a run of equal keys begins."""
    changes = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.concatenate([[0], np.flatnonzero(changes) + 1]).astype(np.int64)


def _means(columns: Arrays, starts: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the mean of each column over each run, NaN left out, and the length of the runs as ``n``."""
    total = len(next(iter(columns.values())))
    found: dict[str, NDArray[Any]] = {"n": np.diff([*starts, total]).astype(np.int32)}
    for name, column in columns.items():
        defined = ~np.isnan(column)
        sums = np.add.reduceat(np.where(defined, column, 0).astype(np.float64), starts)
        with np.errstate(invalid="ignore"):
            found[name] = (sums / np.add.reduceat(defined.astype(np.float64), starts)).astype(np.float32)
    return found


def _ranks(arrays: Arrays, places: Sequence[Place]) -> dict[str, NDArray[Any]]:
    """Return ERank and Diff-eRank of each episode."""
    owners = np.array([places[i].episode for i in arrays["sequence/index"]], dtype=np.int64)
    ranks = {name: arrays[f"sequence/{name}"] for name in ("erank", "diff_erank")}
    return {name: value for name, value in _means(ranks, _starts(owners)).items() if name != "n"}
