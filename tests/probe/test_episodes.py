"""Signals along an episode: which token is of which turn, means by turn and episode, and what was lost."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.probe.episodes import along_episodes
from acgym.probe.signals import energy_change
from acgym.record.episode import Episode, Turn
from acgym.record.tokens import decision_sequences, observation_sequences, placed_sequences

TURN = st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 4), st.integers(0, 4))


def turn(kept, prompt, reply):
    tokens = (None, None) if prompt is None else (tuple(prompt), tuple(reply))
    return Turn("user", "o", "t", "a", 0.0, 0.0, False, None, "stop", 0.0, kept, *tokens)


def episode(seed, *turns):
    same = ("ACB/X-v0", MappingProxyType({}), "eval", seed, "a", "hash", "kind", (), None, None)
    return Episode(*same, turns, "", "finished", None, True, 1.0, False, 0.0)


def two():
    """Two turns (the second is of tokens 6, 7); then three, of which the last rewrites the prompt."""
    first = episode(5, turn(0, range(3), range(3, 5)), turn(5, range(5, 6), range(6, 8)))
    second = episode(
        9, turn(0, range(2), range(2, 3)), turn(0, None, None), turn(3, [8], [9, 9]), turn(2, [20, 21], [30])
    )
    return [first, second]


def test_tokens_told_and_said_by_hand():
    said, places = placed_sequences(two())
    assert said == [
        (list(range(8)), [(3, 5), (6, 8)]),
        ([0, 1, 2, 8, 9, 9], [(2, 3), (4, 6)]),
        ([0, 1, 20, 21, 30], [(4, 5)]),
    ]
    assert [(p.episode, p.seed, p.turns) for p in places] == [(0, 5, (0, 1)), (1, 9, (0, 2)), (1, 9, (3,))]
    told = observation_sequences(two())
    assert [spans for _, spans in told] == [[(1, 3), (5, 6)], [(1, 2), (3, 4)], [(2, 4)]]


@settings(max_examples=60, deadline=None)
@given(st.lists(TURN, max_size=6))
def test_sequences_are_those_of_the_episode_and_no_token_is_in_two_spans(rows):
    turns, length = [], 0
    for rewrites, kept, told, said in rows:
        kept = min(kept, length) if rewrites else length
        turns.append(turn(kept, range(50, 50 + told), range(said)))
        length = kept + told + said
    one = episode(0, *turns)
    wanted = [ids for ids, _ in one.sequences()]
    for made in (decision_sequences([one]), observation_sequences([one])):
        assert all(list(ids) in wanted for ids, _ in made)
        for _, spans in made:
            assert all(a[1] <= b[0] for a, b in pairwise(spans))
    count = sum(end - start for _, spans in decision_sequences([one]) for start, end in spans)
    assert count <= sum(len(t.token_ids) for t in turns)
    told = sum(end - start for _, spans in observation_sequences([one]) for start, end in spans)
    assert told <= sum(len(t.prompt_ids) for t in turns)


def arrays(**changes):
    n = 8
    columns = ("energy", "nll", "margin", "energy_dense", "margin_dense", "kl", "js", "topk_jaccard@3")
    plain = {name: np.zeros(n, np.float32) for name in columns}
    plain |= {"sequence": np.array([0] * 4 + [1] * 3 + [2], np.int32), "position": np.arange(n, dtype=np.int32)}
    plain |= {"flip": np.zeros(n, np.uint8), "sequence/index": np.arange(3, dtype=np.int32)}
    ranks = {f"sequence/{name}": np.array([4.0, 2.0, 3.0], np.float32) for name in ("erank", "diff_erank")}
    return {**plain, **ranks, **changes}


def test_values_by_turn_and_episode_by_hand():
    said, places = placed_sequences(two())
    kl = np.array([1, 3, 5, np.nan, 10, 20, 40, 7], np.float32)
    found = along_episodes(arrays(kl=kl), said, places)
    assert found["seed"].tolist() == [5] * 4 + [9] * 4
    assert found["turn"].tolist() == [0, 0, 1, 1, 0, 2, 2, 3]
    assert found["turn/seed"].tolist() == [5, 5, 9, 9, 9]
    assert found["turn/turn"].tolist() == [0, 1, 0, 2, 3]
    assert found["turn/n"].tolist() == [2, 2, 1, 2, 1]
    assert found["turn/kl"].tolist() == [2, 5, 10, 30, 7]  # NaN is left out, not counted as 0
    assert found["episode_value/seed"].tolist() == [5, 9]
    assert found["episode_value/kl"].tolist() == pytest.approx([3, 77 / 4])
    assert found["episode_value/erank"].tolist() == [4, 2.5]
    assert not any(name.startswith("episode/") for name in found)


def test_what_was_lost_is_larger_for_more_damage():
    said, places = placed_sequences(two())
    rng = np.random.default_rng(0)
    energy, before = (rng.normal(size=8).astype(np.float32) for _ in range(2))
    worse = arrays(
        energy=energy,
        energy_dense=before,
        margin_dense=np.full(8, 3, np.float32),
        margin=np.ones(8, np.float32),
        js=np.full(8, 0.25, np.float32),
        **{"topk_jaccard@3": np.full(8, 0.75, np.float32), "sequence/erank": np.array([1, 1, np.nan], np.float32)},
    )
    found = along_episodes(worse, said, places, arrays())
    lost = {name.removeprefix("episode/"): value for name, value in found.items() if name.startswith("episode/")}
    assert lost["seed"].tolist() == [5, 9]
    assert lost["erank"].tolist() == [3, 1.5]
    assert lost["diff_erank"].tolist() == [0, 0]
    assert lost["margin"].tolist() == [2, 2]
    assert lost["js"].tolist() == lost["topk_jaccard@3"].tolist() == [0.25, 0.25]
    for name in ("energy_w1", "energy_ks"):
        wanted = [energy_change(before[i : i + 4], energy[i : i + 4])[name] for i in (0, 4)]
        assert lost[name].tolist() == pytest.approx(wanted)


def test_what_no_token_defines_is_nan():
    said, places = placed_sequences(two()[:1])
    four = {name: column[: 1 if "/" in name else 4] for name, column in arrays().items()}
    nothing = {**four, "topk_jaccard@3": np.full(4, np.nan, np.float32)}
    found = along_episodes(nothing, said, places, nothing)
    for name in ("turn", "episode_value", "episode"):
        assert np.isnan(found[f"{name}/topk_jaccard@3"]).all()


def test_repeated_seeds_are_episodes_of_their_own_and_other_sequences_are_refused():
    again = [two()[0], replace(two()[0])]
    said, places = placed_sequences(again)
    eight = arrays(**{"sequence": np.array([0] * 4 + [1] * 4, np.int32), "sequence/index": np.arange(2)})
    eight |= {f"sequence/{name}": np.array([4.0, 2.0], np.float32) for name in ("erank", "diff_erank")}
    found = along_episodes(eight, said, places)
    assert found["episode_value/seed"].tolist() == [5, 5]
    assert found["episode_value/n"].tolist() == [4, 4]
    with pytest.raises(ValueError, match="of 8 tokens, the sequences of 4"):
        along_episodes(eight, said[:1], places[:1])
