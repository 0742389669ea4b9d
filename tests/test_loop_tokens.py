"""The loop writes every token down once, and the record gives each prompt and reply back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acgym.loop import common_prefix, play
from tests.helpers.toys import ECHO, Tokens


def test_tokens_are_kept_once_and_rebuilt():
    turns = [((1, 2), (3,)), ((1, 2, 3, 4), (5, 6)), ((1, 2, 9), (7,))]
    (episode,) = play(Tokens(turns), ECHO, [0], kwargs={"level": 3})
    assert [(t.kept, t.prompt_ids, t.token_ids) for t in episode.turns] == [
        (0, (1, 2), (3,)),
        (3, (4,), (5, 6)),
        (2, (9,), (7,)),
    ]
    assert episode.sequences() == [([1, 2, 3, 4, 5, 6], [(2, 3), (4, 6)]), ([1, 2, 9, 7], [(3, 4)])]


IDS = st.lists(st.integers(0, 2), max_size=6).map(tuple)
PROMPTS = IDS.filter(len)


@given(st.lists(st.tuples(PROMPTS, IDS), min_size=3, max_size=3))
def test_every_prompt_and_reply_is_found_again(turns):
    (episode,) = play(Tokens(turns), ECHO, [0], kwargs={"level": 3})
    written = [
        (tuple(ids[: span[0]]), tuple(ids[span[0] : span[1]])) for ids, spans in episode.sequences() for span in spans
    ]
    assert set(written) == set(turns)


@given(IDS, IDS)
def test_common_prefix(a, b):
    assert common_prefix(a, b) == max(n for n in range(len(a) + 1) if a[:n] == b[:n])
