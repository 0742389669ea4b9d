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

from acgym.agents.generate import generate

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

    got = generate(model, prompts(), 9, (), wanted)
    assert got[2] == free[2][:3]
    assert [got[i] for i in (0, 1, 3, 4, 5)] == [free[i] for i in (0, 1, 3, 4, 5)]


def test_no_prompts_no_replies():
    assert generate(make(), [], 5, ()) == []


@pytest.mark.parametrize(("prompt", "limit"), [([], 5), ([1], 0)])
def test_an_empty_prompt_or_no_room_is_refused(prompt, limit):
    with pytest.raises(ValueError, match="at least one token and room for one more"):
        generate(make(), [[1, 2], prompt], [3, limit], ())
