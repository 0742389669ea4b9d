"""Batched greedy decoding is transformers' own greedy ``generate``, one prompt at a time."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from acgym.agents.cache import Memory
from acgym.agents.generate import generate as generate_said

VOCABULARY = 64
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "initializer_range": 0.3,  # so that what is said depends on the prompt
    "pad_token_id": 0,
    "bos_token_id": None,
    "eos_token_id": None,
}
FAMILIES = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "mistral, window 6": lambda: MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=6)),
    "gemma2, window 6 in every other layer": lambda: Gemma2ForCausalLM(Gemma2Config(**SHAPE, sliding_window=6)),
    "gpt2, learned positions": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, initializer_range=0.3, eos_token_id=None)
    ),
}
LENGTHS = (3, 17, 1, 9, 9, 26)


def make(family="llama"):
    torch.manual_seed(1)
    return FAMILIES[family]().eval()


def prompts(lengths=LENGTHS):
    generator = torch.Generator().manual_seed(5)
    return [torch.randint(0, VOCABULARY, (n,), generator=generator).tolist() for n in lengths]


def generate(*args, **kwargs):
    return [said.token_ids for said in generate_said(*args, **kwargs)]


def alone(model, prompt, limit, stops=()):
    """What transformers says to one prompt."""
    out = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=sorted(stops) or None,
        pad_token_id=0,
    )
    return out[0, len(prompt) :].tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_says_what_transformers_says_to_each_prompt_alone(family):
    model = make(family)
    free = generate(model, prompts(), 12, ())
    assert free == [alone(model, prompt, 12) for prompt in prompts()]
    assert len({tuple(reply) for reply in free}) > 3, "the model says the same to everyone: the test shows nothing"
    # Stop tokens that are said at different times, so that rows leave the batch one after the other.
    stops = {free[0][2], free[1][5], free[3][8]}
    stopped = generate(model, prompts(), 12, stops)
    assert stopped == [alone(model, prompt, 12, stops) for prompt in prompts()]
    assert len({len(reply) for reply in stopped}) > 1
    assert all(not stops & set(reply[:-1]) for reply in stopped)


def test_one_prompt_is_a_batch_too():
    model = make()
    assert generate(model, prompts()[1:2], 5, ()) == [alone(model, prompts()[1], 5)]


def test_each_prompt_has_its_own_bound():
    model = make()
    free = generate(model, prompts(), 9, ())
    limits = (9, 1, 4, 9, 2, 7)
    assert generate(model, prompts(), limits, ()) == [reply[:n] for reply, n in zip(free, limits, strict=True)]


def test_a_row_that_nobody_waits_for_leaves_and_changes_no_other():
    model = make()
    free = generate(model, prompts(), 9, ())
    asked = []

    def wanted(row):
        asked.append(row)
        return row != 2 or asked.count(2) < 3

    got = generate(model, prompts(), 9, (), wanted=wanted)
    assert got[2] == free[2][:3]
    assert [got[i] for i in (0, 1, 3, 4, 5)] == [free[i] for i in (0, 1, 3, 4, 5)]


def test_no_prompts_no_replies():
    assert generate(make(), [], 5, ()) == []


@pytest.mark.parametrize(("prompt", "limit"), [([], 5), ([1], 0)])
def test_an_empty_prompt_or_no_room_is_refused(prompt, limit):
    with pytest.raises(ValueError, match="at least one token and room for one more"):
        generate(make(), [[1, 2], prompt], [3, limit], ())


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_a_conversation_goes_on_from_its_past_in_any_company(family):
    model = make(family)
    first = generate_said(model, prompts(), 6, ())
    told = [[*prompt, *said.token_ids] for prompt, said in zip(prompts(), first, strict=True)]
    longer = [[*ids, *more] for ids, more in zip(told, prompts((4, 1, 7, 2, 2, 5)), strict=True)]
    fresh = generate(model, longer, 8, ())
    pasts = [said.past for said in first]
    assert all(past[0][0].shape[-2] == len(ids) - 1 for past, ids in zip(pasts, told, strict=True))
    assert generate(model, longer, 8, (), pasts=pasts) == fresh
    some = [past if row % 2 else None for row, past in enumerate(pasts)]
    assert generate(model, longer, 8, (), pasts=some) == fresh
    wrong = [[(keys * 0, values * 0) for keys, values in past] for past in pasts]
    assert generate(model, longer, 8, (), pasts=wrong) != fresh, "the pasts are not read at all"


def test_a_past_is_what_a_whole_reading_gives():
    model = make()
    (said,) = generate_said(model, prompts()[1:2], 9, ())
    read = [*prompts()[1], *said.token_ids[:-1]]
    with torch.inference_mode():
        cache = model(input_ids=torch.tensor([read]), use_cache=True).past_key_values
    for layer, (keys, values) in zip(cache.layers, said.past, strict=True):
        torch.testing.assert_close(keys, layer.keys[0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(values, layer.values[0], atol=1e-5, rtol=1e-5)


def test_pasts_of_sliding_windows_are_not_carried():
    assert [said.past for said in generate_said(make("mistral, window 6"), prompts(), 3, ())] == [None] * len(LENGTHS)


def test_long_replies_outgrow_the_room_of_the_cache():
    model = make()
    assert generate(model, prompts()[:2], 150, ()) == [alone(model, prompt, 150) for prompt in prompts()[:2]]


def test_the_memory_forgets_the_least_recently_used_first_and_gives_each_past_once():
    past = [(torch.zeros(1, 4, 8), torch.zeros(1, 4, 8))]  # 256 bytes
    memory = Memory(600)
    for ids in ((1,), (2,), (3,)):
        memory.put(ids, past)
    assert memory.bytes == 512
    assert memory.pop((1,)) is None
    assert memory.pop((2,)) is past
    assert memory.pop((2,)) is None
    assert memory.bytes == 256
    memory.put((3,), past)
    assert memory.bytes == 256
    Memory(10).put((1,), past)  # too large to hold: forgotten at once


def test_a_paused_batch_goes_on_where_it_stopped():
    model = make()
    free = generate(model, prompts(), 12, ())
    stops = {free[0][2], free[1][5]}
    whole = generate(model, prompts(), 12, stops)
    done, asked = [], []

    def pause(answering):
        asked.append(answering)
        return len(asked) == 4

    half = generate_said(model, prompts(), 12, stops, finished=lambda row, said: done.append(row), pause=pause)
    going = [row for row, said in enumerate(half) if said.paused]
    assert going
    assert sorted([*going, *done]) == list(range(len(LENGTHS)))
    assert all(half[row].token_ids == whole[row] for row in done)
    rest = generate(
        model,
        [[*prompts()[row], *half[row].token_ids] for row in going],
        [12 - len(half[row].token_ids) for row in going],
        stops,
        pasts=[half[row].past for row in going],
    )
    assert [[*half[row].token_ids, *more] for row, more in zip(going, rest, strict=True)] == [
        whole[row] for row in going
    ]
