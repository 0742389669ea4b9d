"""Reading many conversations in one row of tokens gives what the model gives each of them alone."""

from __future__ import annotations

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from acgym.agents.engine.attention import NAME
from acgym.agents.engine.kv_pool import Pool, States
from acgym.agents.engine.varlen import NotReadable, Segment, VarlenReader, reader_of
from tests.helpers.families import OTHERS, READABLE, SHAPE, make, prompts

MODELS: dict = {}


def model_of(family):
    if family not in MODELS:
        MODELS[family] = make(family)
    return MODELS[family]


@torch.inference_mode()
def own_logits(model, ids):
    """(tokens, vocabulary): the model's own forward pass over one conversation."""
    return model(input_ids=torch.tensor([ids])).logits[0]


def read_in_chunks(model, ids, chunks, block_bytes=1 << 20):
    """Read conversations step by step, ``chunks[step][i]`` tokens of the i-th; logits after every token, each."""
    reader = reader_of(model)
    pool = Pool(reader.shapes, block_bytes)
    states = [States(pool) for _ in ids]
    logits = [[] for _ in ids]
    for step in chunks:
        who = [i for i, n in enumerate(step) if n and states[i].length < len(ids[i])]
        parts = [ids[i][states[i].length : states[i].length + step[i]] for i in who]
        if not who:
            continue
        got = reader.read([Segment(states[i], part, len(part)) for i, part in zip(who, parts, strict=True)])
        for i, rows in zip(who, got.split([len(part) for part in parts]), strict=True):
            logits[i] += list(rows)
    return [torch.stack(rows) for rows in logits], pool, states


@pytest.mark.parametrize("family", [family for family in READABLE if "long" not in family])
def test_a_company_is_read_as_each_is_alone(family):
    model = model_of(family)
    ids = prompts((3, 40, 1, 9, 70))
    everything = [(40,) * 5, (40,) * 5]
    one_by_one = [(1,) * 5] * 70
    for chunks in (everything, one_by_one):
        got, _, _ = read_in_chunks(model, ids, chunks)
        for rows, conversation in zip(got, ids, strict=True):
            torch.testing.assert_close(rows, own_logits(model, conversation), atol=2e-4, rtol=2e-4)


@settings(max_examples=25, deadline=None)
@given(
    family=st.sampled_from(["llama", "gemma2, window 6 in every other layer", "mistral, window 6"]),
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    data=st.data(),
    block_bytes=st.sampled_from([0, 1 << 20]),
)
def test_any_chunks_in_any_company_read_the_same(family, lengths, data, block_bytes):
    model = model_of(family)
    ids = prompts(lengths, seed=sum(lengths))
    chunk = st.lists(st.integers(0, 24), min_size=len(lengths), max_size=len(lengths))
    chunks = [*data.draw(st.lists(chunk, max_size=6)), [40] * len(lengths)]
    got, _, _ = read_in_chunks(model, ids, chunks, block_bytes)
    for rows, conversation in zip(got, ids, strict=True):
        torch.testing.assert_close(rows, own_logits(model, conversation), atol=3e-4, rtol=3e-4)


def test_only_what_is_asked_for_comes_back_in_the_order_of_the_segments():
    model = model_of("llama")
    reader = reader_of(model)
    pool = Pool(reader.shapes, 1 << 20)
    ids = prompts((5, 20, 7))
    states = [States(pool) for _ in ids]
    reader.read([Segment(states[2], ids[2][:3], 0)])  # its row comes first on the block
    got = reader.read([Segment(states[0], ids[0], 2), Segment(states[1], ids[1], 0), Segment(states[2], ids[2][3:], 1)])
    own = [own_logits(model, conversation) for conversation in ids]
    torch.testing.assert_close(got, torch.cat([own[0][-2:], own[2][-1:]]), atol=2e-4, rtol=2e-4)
    assert reader.tokens == sum(map(len, ids))


def test_what_is_taken_back_is_forgotten():
    """After a rejected draft the conversation goes on as if it had never been read."""
    model = model_of("gemma2, window 6 in every other layer")
    reader = reader_of(model)
    states = States(Pool(reader.shapes, 1 << 20))
    (ids,) = prompts((30,))
    reader.read([Segment(states, [*ids[:20], 1, 2, 3, 4], 0)])
    states.length = 20
    got = reader.read([Segment(states, ids[20:], 10)])
    torch.testing.assert_close(got, own_logits(model, ids)[20:], atol=2e-4, rtol=2e-4)


def test_a_row_that_held_infinities_harms_nobody_who_comes_after():
    model = model_of("llama")
    reader = reader_of(model)
    pool = Pool(reader.shapes, 1 << 20)
    states = [States(pool) for _ in range(3)]
    ids = prompts((60, 6, 60))
    reader.read([Segment(states[0], ids[0], 0), Segment(states[2], ids[2], 0)])
    block = states[0].block
    with torch.inference_mode():
        for part in (part for layer in block.layers.values() for part in layer):
            part[states[0].row] = torch.inf
    states[0].release()
    got = reader.read([Segment(states[1], ids[1], 1), Segment(states[2], [1], 1)])
    assert states[1].block is block
    torch.testing.assert_close(got[0], own_logits(model, ids[1])[-1], atol=2e-4, rtol=2e-4)
    torch.testing.assert_close(got[1], own_logits(model, [*ids[2], 1])[-1], atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("family", OTHERS)
def test_models_with_another_memory_are_told(family):
    found = reader_of(make(family))
    assert isinstance(found, NotReadable)
    assert found.why


def test_a_window_that_a_model_keeps_in_its_mask_is_told():
    """Short prompts do not show a long window; a layer that does not hand it on would be read without one."""
    torch.manual_seed(1)
    config = Gemma3TextConfig(**SHAPE, sliding_window=4000, layer_types=["sliding_attention", "full_attention"])
    model = Gemma3ForCausalLM(config).eval()
    assert isinstance(reader_of(model), VarlenReader)
    model.model.layers[0].self_attn.sliding_window = None
    assert isinstance(reader_of(model), NotReadable)


def test_a_model_that_says_something_else_is_told():
    model = make("llama")
    forward = model.model.layers[1].self_attn.forward
    model.model.layers[1].self_attn.forward = lambda *args, **kwargs: (
        forward(*args, **kwargs)[0] + (0.1 if kwargs.get("acgym_plan") else 0),
        None,
    )
    assert isinstance(reader_of(model), NotReadable)


def test_full_memory_is_no_reason_to_read_otherwise():
    """A model that does not fit must say so: another engine would need more memory, and nobody would know why."""
    model = make("llama")

    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    model.model.layers[1].self_attn.forward = full
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        reader_of(model)


def test_an_interface_that_is_not_kept_is_told_with_its_error():
    model = make("llama")
    forward = model.model.layers[1].self_attn.forward
    model.model.layers[1].self_attn.forward = lambda hidden, **kwargs: forward(hidden)
    assert "TypeError" in reader_of(model).why


def test_the_model_is_given_back_as_it_was():
    model = make("llama")
    before = model.config._attn_implementation
    reader = reader_of(model)
    states = States(Pool(reader.shapes, 1 << 20))
    with pytest.raises(IndexError):
        reader.read([Segment(states, [10**6], 1)])
    assert model.config._attn_implementation == before != NAME
    reader.read([Segment(states, [3], 1)])
    assert model.config._attn_implementation == before


def test_two_readers_of_one_model_do_not_get_in_each_others_way():
    model = make("llama")
    ids = prompts((30, 30))
    got = {}

    def read(i):
        reader = reader_of(model)
        pool = Pool(reader.shapes, 1 << 20)
        for _ in range(20):
            states = States(pool)
            got.setdefault(i, []).append(reader.read([Segment(states, ids[i], 1)])[0])
            states.release()

    threads = [threading.Thread(target=read, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(2):
        for row in got[i]:
            torch.testing.assert_close(row, own_logits(model, ids[i])[-1], atol=2e-4, rtol=2e-4)


def test_rounded_caches_are_rounded_once_for_each_token():
    model = make("llama")
    model.acgym_quantise_cache = lambda states, are_keys: (states * 8).round() / 8
    (ids,) = prompts((20,))
    whole, _, _ = read_in_chunks(model, [ids], [(20,)])
    parts, _, _ = read_in_chunks(model, [ids], [(7,), (1,), (12,)])
    torch.testing.assert_close(whole, parts, atol=2e-4, rtol=2e-4)
    assert (whole[0] - own_logits(model, ids)).abs().max() > 0.01
