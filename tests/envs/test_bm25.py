"""The shop's search beside bm25s: equal scores for every product."""

from __future__ import annotations

import bm25s
import numpy as np
import pytest

from acgym.envs.world.shop.shop import K1, PRODUCTS, B, shop


@pytest.mark.parametrize("query", ["vegan hiking boot", "headphones without any cord", "a box that shuts, of metal"])
def test_the_search_scores_as_bm25s_does(query):
    vocabulary, table, _ = shop()._index
    inverse = {number: word for word, number in vocabulary.items()}
    texts = [[inverse[int(number)] for number in row if number >= 0] for row in table]
    index = bm25s.BM25(method="lucene", k1=K1, b=B)
    index.index(texts, show_progress=False)
    asked = [word for word in dict.fromkeys(query.replace(",", "").split()) if word in vocabulary]
    asked = [word if word in vocabulary else word[:-1] for word in asked]
    assert asked
    theirs = index.get_scores(asked)
    assert theirs.shape == (PRODUCTS,)
    np.testing.assert_allclose(shop().scores(" ".join(asked)), theirs, rtol=1e-4, atol=1e-5)
