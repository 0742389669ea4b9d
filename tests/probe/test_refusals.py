"""What cannot be probed: it is refused with what was expected, and broken numbers are counted and named."""

from __future__ import annotations

import re

import pytest
import torch

from acgym.probe.run import probe, probe_pair
from tests.helpers.probed import make, random_sequences


@pytest.fixture(scope="module")
def pair():
    return make(0), make(1)


@pytest.fixture(scope="module")
def sequences():
    return random_sequences()


def test_what_cannot_be_probed_is_refused(pair, sequences):
    with pytest.raises(ValueError, match="no decision token"):
        probe(pair[0], [([1, 2], [(2, 2)])])
    for span in ((0, 2), (2, 9), (3, 2)):
        with pytest.raises(ValueError, match="a span of sequence 0 must lie in its 4 tokens"):
            probe(pair[0], [([1, 2, 3, 4], [span])])
    with pytest.raises(ValueError, match=r"token id 50 is not in the model's vocabulary of 50"):
        probe(pair[0], [([1, 50, 2], [(1, 3)])])
    with pytest.raises(ValueError, match="one vocabulary, got 50 and 60"):
        probe_pair(pair[0], make(0, vocab=60), sequences)
    with pytest.raises(ValueError, match="batch_tokens must be at least 1"):
        probe(pair[0], sequences, batch_tokens=0)
    with pytest.raises(ValueError, match=r"call model\.eval"):
        probe(make(0).train(), sequences)
    broken = make(0)
    with torch.no_grad():
        broken.lm_head.weight[7] = torch.inf
    n = sum(end - start for _, spans in sequences for start, end in spans)
    with pytest.raises(ValueError, match=rf"the model's logits must be finite, but at {n} of {n} decision tokens"):
        probe(broken, sequences, batch_tokens=40)
    with pytest.raises(
        ValueError, match=rf"the model's dense logits must be finite, but at {n} of {n} decision tokens"
    ):
        probe_pair(broken, pair[0], sequences)


def test_only_broken_tokens_are_counted_and_the_first_broken_place_is_named(pair, sequences):
    broken = make(0)
    with torch.no_grad():
        broken.model.embed_tokens.weight[7] = torch.nan
    hit = 0
    for ids, spans in sequences:  # a token is broken when a 7 stands before it
        first = ids.index(7) if 7 in ids else len(ids)
        hit += sum(t > first for start, end in spans for t in range(start, end))
    n = sum(end - start for _, spans in sequences for start, end in spans)
    with pytest.raises(ValueError, match=r"hidden states behind layer 1 must be finite") as caught:
        probe(broken, sequences, layers="all")
    counted = [int(word) for word in re.findall(r"\d+", str(caught.value))[1:]]
    assert 0 < hit <= counted[0] < counted[1] == n  # attention may spread a NaN to the tokens just before it
    with pytest.raises(ValueError, match=r"the model's hidden states must be finite"):
        probe_pair(pair[0], broken, sequences)


def test_a_model_that_is_no_body_and_head_is_refused(sequences):
    changed = make(0)
    inner = changed.model.forward
    changed.model.forward = lambda **kw: inner(**kw)
    assert probe(changed, sequences).n_tokens  # a body whose forward was replaced still works, and keeps it
    assert "forward" in changed.model.__dict__
    other = make(0)
    whole = other.forward
    other.forward = lambda input_ids, **kw: _shifted(whole(input_ids, **kw), float(input_ids.float().mean()))
    with pytest.raises(ValueError, match="LlamaForCausalLM does not make its logits from its last hidden states alone"):
        probe(other, sequences)


def _shifted(output, by):
    output.logits = output.logits * (1 + by)
    return output
