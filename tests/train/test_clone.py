"""Pretrained models learn from demonstrations: what they read is what they play, and a run goes on without a trace."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from acgym.agents.adapter import merge
from acgym.agents.local import LocalAgent, load
from acgym.agents.prompt import PromptBuilder
from acgym.demonstrations import demonstrations
from acgym.model_files.adapter import inspect_adapter
from acgym.train.chats import Row, spoken
from acgym.train.clone import CloneRecipe, CloneTrainer, Lessons, batches
from acgym.train.clone_run import Pace, clone, write_agent
from acgym.train.data import IGNORE
from acgym.train.mix import Part, check_mix, plain_mix, read_mix
from tests.helpers import small_agent

NEEDLE, TOOL_CALL = "ACB/Needle-v0", "ACB/ToolCall-v0"
MIX = (Part(NEEDLE, {"level": 1}, 3.0), Part(TOOL_CALL, {"level": 1}))
TINY = CloneRecipe(mix=MIX, rank=4, alpha=8.0, steps=6, tokens_per_step=200, warm_up_steps=2, rate=0.01)


def agent():
    return LocalAgent(small_agent.loaded(), "small")


def trainer(folder, recipe=TINY):
    return CloneTrainer(agent(), recipe, folder)


def quietly(made, **options):
    return clone(made, "small", lambda line: None, Pace(**{"watch_every": 0, **options}))


def test_what_is_learnt_is_what_would_be_played():
    prompts = agent().prompts
    for demonstration in demonstrations(TOOL_CALL, range(3), "train", level=1):
        (row,) = spoken(prompts, demonstration)
        replies = [message for message in demonstration.messages if message.role == "assistant"]
        assert len(row.spans) == len(replies)
        for number, (start, end) in enumerate(row.spans):
            before = demonstration.messages[: 2 * number + 1]
            assert row.ids[:start] == prompts.ids(before, demonstration.tools)
            said = prompts.tokenizer.decode(row.ids[start : end - 1])
            assert prompts.tools.parse(said, demonstration.tools)[0] == replies[number].reply.action
            assert row.ids[end - 1] == prompts.turn_end
        targets = row.targets
        assert [t for t in targets if t != IGNORE] == [i for start, end in row.spans for i in row.ids[start:end]]


def test_a_template_that_rewrites_history_gives_a_row_a_turn():
    template = (
        "{%- for m in messages %}{%- if m.role != 'assistant' or loop.last %}{{ '<|im_start|>' + m.role + '\\n' + "
        "m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
        "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    prompts = PromptBuilder(small_agent.tokenizer(template), "forgetful")
    (demonstration,) = demonstrations(TOOL_CALL, range(1), "train", level=1)
    turns = sum(message.role == "assistant" for message in demonstration.messages)
    rows = spoken(prompts, demonstration)
    assert turns > 1
    assert [len(row.spans) for row in rows] == [1] * turns


def test_steps_are_the_same_in_any_order_and_batches_hold_all_of_them():
    lessons = Lessons(agent(), TINY)
    second, first = lessons.step(1), lessons.step(0)
    assert [row.ids for row in Lessons(agent(), TINY).step(0)] == [row.ids for row in first]
    assert [row.ids for row in first] != [row.ids for row in second]
    told = [
        ids[i, : (t != IGNORE).nonzero().max() + 2].tolist() for ids, ts in batches(first) for i, t in enumerate(ts)
    ]
    assert sorted(told) == sorted(row.ids for row in first)
    with pytest.raises(ValueError, match="longer than 20 tokens"):
        Lessons(agent(), replace(TINY, longest=20)).step(0)


def test_conversations_share_a_pass_only_with_others_of_near_length():
    rows = [Row(list(range(length)), [(1, length)]) for length in (900, 100, 96, 92, 80, 3000)]
    shapes = [tuple(ids.shape) for ids, _ in batches(rows)]
    assert shapes == [(1, 3000), (1, 900), (3, 100), (1, 80)]
    assert [tuple(ids.shape) for ids, _ in batches([rows[0]] * 5)] == [(2, 900), (2, 900), (1, 900)]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_training_stops_and_goes_on_without_a_trace(tmp_path, method):
    recipe = replace(TINY, method=method)
    whole, halves = trainer(tmp_path / "whole", recipe), trainer(tmp_path / "halves", recipe)
    assert quietly(whole)
    assert not quietly(halves, stop_at=3)
    again = trainer(tmp_path / "halves", recipe)
    assert again.step == 3
    assert quietly(again)
    for name, parameter in whole.trained.items():
        assert torch.equal(parameter, again.trained[name]), name


def test_a_step_lowers_the_loss_and_the_base_stays(tmp_path):
    made = trainer(tmp_path)
    rows = Lessons(made.agent, TINY).step(0)
    frozen = {name: p.clone() for name, p in made.model.named_parameters() if not p.requires_grad}
    losses = [made.take_step(rows) for _ in range(5)]
    assert losses[-1] < losses[0]
    assert all(torch.equal(frozen[n], p) for n, p in made.model.named_parameters() if n in frozen)
    assert {name.rpartition(".")[2] for name in made.trained} == {"lora_a", "lora_b"}


def test_the_low_rank_term_has_the_gradients_of_plain_layers(tmp_path):
    made = trainer(tmp_path)
    layer = next(iter(made.layers.values()))
    layer.float()
    torch.nn.init.normal_(layer.lora_b)
    x = torch.randn(2, 3, layer.weight.shape[1], requires_grad=True)
    plain = x @ layer.weight.t() + layer.scale * (x @ layer.lora_a.t()) @ layer.lora_b.t()
    wanted = torch.autograd.grad(plain.square().sum(), [x, layer.lora_a, layer.lora_b])
    found = torch.autograd.grad(layer(x).square().sum(), [x, layer.lora_a, layer.lora_b])
    assert torch.allclose(layer(x), plain, atol=1e-4)
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-3)


def test_the_adapter_that_comes_out_is_what_was_trained(tmp_path):
    made = trainer(tmp_path)
    quietly(made, stop_at=2)
    config = json.loads((tmp_path / "agent" / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 8.0)
    model = small_agent.loaded().model
    merge(model, inspect_adapter(tmp_path / "agent"))
    ids = torch.tensor([[5, 7, 11, 13]])
    with torch.no_grad():
        assert torch.allclose(model(ids).logits, made.model(ids).logits.float(), atol=0.3)
        assert not torch.allclose(model(ids).logits, small_agent.loaded().model(ids).logits, atol=1e-3)
    stored = load_file(tmp_path / "agent" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.bfloat16}


def test_full_training_writes_a_whole_model(tmp_path):
    made = trainer(tmp_path, replace(TINY, method="full"))
    quietly(made, stop_at=1)
    loaded = load(str(tmp_path / "agent"))
    assert all(torch.equal(p, loaded.model.state_dict()[name]) for name, p in made.model.state_dict().items())


def test_the_curve_watches_held_out_conversations(tmp_path):
    made = trainer(tmp_path)
    quietly(made, watch_every=2, held_out=1, stop_at=4)
    lines = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert set(lines[0]["held_out"]) == {part.name for part in MIX}
    scores = lines[0]["held_out"][MIX[0].name]
    assert scores["loss"] > 0
    assert 0 <= scores["conversations"] <= scores["tokens"] <= 1


def test_the_mix_may_change_and_the_checkpoint_says_when(tmp_path):
    quietly(trainer(tmp_path), stop_at=2)
    other = replace(TINY, mix=(Part(NEEDLE, {"level": 1}),))
    made = trainer(tmp_path, other)
    assert [step for step, _ in made.mixes] == [0, 2]
    quietly(made, stop_at=3)
    assert trainer(tmp_path, other).mixes == made.mixes
    for changed in (replace(TINY, rank=8), replace(TINY, rate=0.5)):
        with pytest.raises(ValueError, match="made by another recipe"):
            trainer(tmp_path, changed)


def test_another_model_is_refused(tmp_path):
    quietly(trainer(tmp_path), stop_at=1)
    with pytest.raises(ValueError, match="made by another recipe: model was"):
        CloneTrainer(LocalAgent(small_agent.loaded(seed=1), "other"), TINY, tmp_path)


def test_an_adapter_can_be_trained_on(tmp_path):
    first = trainer(tmp_path / "a")
    quietly(first, stop_at=2)
    write_agent(first, tmp_path / "out", "small")
    stored = load_file(tmp_path / "out" / "adapter_model.safetensors")
    second = CloneTrainer(agent(), TINY, tmp_path / "b", stored)
    assert all(torch.equal(t, stored[name].float()) for name, t in second.tensors().items())
    with pytest.raises(ValueError, match="does not fit the training"):
        CloneTrainer(agent(), replace(TINY, rank=2), tmp_path / "c", stored)


def test_mixes_are_read_and_checked():
    assert read_mix([{"env": NEEDLE, "kwargs": {"level": 2}, "share": 2}]) == (Part(NEEDLE, {"level": 2}, 2.0),)
    mixed = plain_mix([{NEEDLE: {"level": 1}, "Other-v0": {}}, {NEEDLE: {"level": 2}, "Other-v0": {}}])
    assert [(part.env, part.kwargs, part.share) for part in mixed] == [
        (NEEDLE, {"level": 1}, 0.5),
        ("Other-v0", {}, 1.0),
        (NEEDLE, {"level": 2}, 0.5),
    ]
    for rows in ({}, [], [{"env": 3}], [{"env": NEEDLE, "share": 0}], [{"env": NEEDLE, "shares": 1}]):
        with pytest.raises(ValueError, match="mix"):
            read_mix(rows)
    check_mix(MIX)
    for wrong, message in (
        (MIX * 2, "comes twice"),
        ((Part("ACB/Nothing-v0"),), "no environment"),
        ((Part(NEEDLE, {"size": 3}),), "cannot be made"),
    ):
        with pytest.raises(ValueError, match=message):
            check_mix(wrong)


@pytest.mark.parametrize("changes", [{"rank": 0}, {"steps": 0}, {"rate": -1.0}, {"decay_share": 2}, {"method": "dora"}])
def test_recipes_that_train_nothing_are_refused(changes):
    with pytest.raises(ValueError, match="must be"):
        replace(TINY, **changes)
