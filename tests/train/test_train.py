"""Training the reference agent: how the rates go, that it stops and goes on without a trace, and what comes out."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from acgym.agents.local import LocalAgent, load
from acgym.demonstrations import demonstrations
from acgym.train.checkpoint import decay_begins
from acgym.train.data import IGNORE, RECALL, Batch, Practice
from acgym.train.heads import merge_heads
from acgym.train.reference import MERGED, after_merging, train_reference
from acgym.train.trainer import Trainer, TrainingRecipe, make_model
from acgym.train.watch import exact_share
from tests.helpers import small_agent

NEEDLE, TOOL_CALL = "ACB/Needle-v0", "ACB/ToolCall-v0"
TINY = TrainingRecipe(
    hidden_size=32,
    layers=2,
    heads=2,
    key_value_heads=2,
    mlp_size=64,
    steps=6,
    tokens_per_step=64,
    warm_up_steps=2,
    decay_share=0.5,
    shares={NEEDLE: 0.2, RECALL: 2.0},
    practice_fades_over=4,
)


def trainer(folder, recipe=TINY):
    folder.mkdir(exist_ok=True)
    if not (folder / "tokenizer.json").exists():
        small_agent.tokenizer().save_pretrained(folder)
    return Trainer(recipe, folder, compiled=False)


def practice(recipe=TINY):
    return Practice(
        small_agent.tokenizer(),
        recipe.shares,
        recipe.seed,
        recipe.tokens_per_step,
        recipe.steps,
        recipe.practice_fades_over,
    )


def run(made, last):
    data = practice(made.recipe)
    return [made.take_step(data[step]) for step in range(made.step, last)]


def weights(made):
    return {name: tensor.clone() for name, tensor in made.model.state_dict().items()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_the_learning_rate_by_hand(tmp_path):
    made = trainer(tmp_path, replace(TINY, steps=10, warm_up_steps=4, decay_share=0.4))
    factors = []
    for made.step in range(11):
        factors.append(made.rate())
    assert factors == [0.25, 0.5, 0.75, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0]


@pytest.mark.parametrize(("steps", "share"), [(10, 0.4), (100, 0.3), (7, 0.5), (50, 0.0), (6, 1.0), (90_001, 0.3)])
def test_decay_begins_where_the_rate_begins_to_fall(steps, share, tmp_path):
    recipe = replace(TINY, steps=steps, decay_share=share, warm_up_steps=1)
    made = object.__new__(Trainer)
    made.recipe = recipe
    last_full = decay_begins(asdict(recipe))
    made.step = last_full
    assert made.rate() == pytest.approx(1)
    made.step = last_full + 1
    assert made.rate() < 1 - 1e-9


def test_the_model_is_made_from_the_seed_and_weights_are_tied():
    tok = small_agent.tokenizer()
    one, two, other = (make_model(replace(TINY, seed=seed), tok) for seed in (0, 0, 1))
    assert same(one.state_dict(), two.state_dict())
    assert not torch.equal(one.model.embed_tokens.weight, other.model.embed_tokens.weight)
    assert one.lm_head.weight is one.model.embed_tokens.weight
    assert one.config.vocab_size % 16 == 0
    assert one.config.vocab_size >= len(tok)


def test_it_learns(tmp_path):
    made = trainer(tmp_path, replace(TINY, steps=60))
    batches = practice(TINY)[0]
    losses = [made.take_step(batches) for _ in range(8)]
    assert losses[-1] < losses[0] - 0.5
    assert (made.step, made.tokens) == (8, 8 * sum(batch.ids.numel() for batch in batches))


def test_exact_share_by_hand():
    tok = small_agent.tokenizer()
    model = make_model(TINY, tok)
    ids = torch.tensor([[3, 4, 5, 6], [7, 8, 9, 10]])
    with torch.no_grad():
        choices = model(ids).logits.argmax(-1)
    targets = torch.full_like(ids, IGNORE)
    targets[0, :2] = choices[0, :2]
    targets[1, 1], targets[1, 2] = choices[1, 1], (choices[1, 2] + 1) % 100
    assert exact_share(model, [Batch(ids, targets)]) == (0.5, 0.75)


# Stopping and going on


def test_stopping_and_going_on_changes_nothing(tmp_path):
    straight = trainer(tmp_path / "straight")
    losses = run(straight, 6)
    first = trainer(tmp_path / "parts")
    begun = run(first, 3)
    first.save()
    second = trainer(tmp_path / "parts")
    assert (second.step, second.tokens, second.seconds) == (3, first.tokens, first.seconds)
    assert same(weights(second), weights(first))
    assert begun + run(second, 6) == losses
    assert same(weights(second), weights(straight))


def test_a_kill_while_saving_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    made = trainer(tmp_path)
    run(made, 1)
    made.save()
    before = weights(made)
    run(made, 2)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        made.save()
    monkeypatch.undo()
    again = trainer(tmp_path)
    assert again.step == 1
    assert same(weights(again), before)


def former(folder, made, step):
    """Write a checkpoint as former versions did: facts beside the tensors."""
    made.save()
    file = folder / "checkpoint.safetensors"
    save_file(load_file(file), file)
    facts = {"step": step, "tokens": 10, "seconds": 1.5, "recipe": asdict(made.recipe)}
    (folder / "checkpoint.json").write_text(json.dumps(facts, indent=1))


@pytest.mark.parametrize("told", [3, 2], ids=["whole", "torn between its files"])
def test_checkpoints_of_the_former_form_are_read(tmp_path, told):
    made = trainer(tmp_path)
    run(made, 3)
    former(tmp_path, made, told)
    again = trainer(tmp_path)
    assert (again.step, again.tokens, again.seconds) == (3, 10, 1.5)
    assert same(weights(again), weights(made))
    again.save()
    assert not (tmp_path / "checkpoint.json").exists()
    assert trainer(tmp_path).step == 3


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-40]), "is damaged"),
        (lambda file: save_file(load_file(file), file), "does not say which step and recipe"),
    ],
)
def test_a_checkpoint_that_cannot_be_trusted_is_refused(tmp_path, spoil, message):
    made = trainer(tmp_path)
    run(made, 1)
    made.save()
    spoil(tmp_path / "checkpoint.safetensors")
    with pytest.raises(ValueError, match=message):
        trainer(tmp_path)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Folders of one run after 2 steps and after 4, the last of which had less than the full learning rate."""
    folders = {}
    made = trainer(tmp_path_factory.mktemp("run"))
    for step in (2, 4):
        run(made, step)
        made.save()
        folders[step] = shutil.copytree(made.folder, made.folder.parent / f"{made.folder.name}-{step}")
    return folders


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": 1}, "seed was 0, now 1"),
        ({"hidden_size": 64}, "hidden_size was 32, now 64"),
        ({"shares": {NEEDLE: 1.0}}, r"shares was \{.*now \{'ACB/Needle-v0': 1.0\}"),
        ({"matrix_rate": 0.5, "steps": 60}, r"matrix_rate was 0.01, now 0.5.*same recipe or another folder"),
    ],
)
def test_another_recipe_is_refused(changes, told, stopped):
    with pytest.raises(ValueError, match=f"made by another recipe: .*{told}"):
        trainer(stopped[2], replace(TINY, **changes))


@pytest.mark.parametrize("changes", [{"steps": 60}, {"steps": 4}, {"steps": 5, "decay_share": 0.2}])
def test_the_end_may_move_until_the_learning_rate_falls(changes, stopped):
    assert trainer(stopped[2], replace(TINY, **changes)).step == 2


def test_the_end_may_not_move_to_where_the_rate_would_have_fallen(stopped):
    with pytest.raises(ValueError, match=r"falling since step 1\. Use at least 4 steps"):
        trainer(stopped[2], replace(TINY, steps=3))


@pytest.mark.parametrize("changes", [{"steps": 60}, {"steps": 5}, {"decay_share": 0.1}])
def test_the_end_may_not_move_once_the_learning_rate_falls(changes, stopped):
    with pytest.raises(ValueError, match=r"at step 4, too far.*falling since step 3\. Use the same recipe"):
        trainer(stopped[4], replace(TINY, **changes))
    assert trainer(stopped[4]).step == 4


@pytest.mark.parametrize(
    "bad", [{"steps": 0}, {"tokens_per_step": 0}, {"decay_share": 1.5}, {"shares": {}}, {"shares": {NEEDLE: 0.0}}]
)
def test_a_recipe_that_cannot_be_trained_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        replace(TINY, **bad)


# Merging key-value heads


def test_heads_that_are_equal_are_merged_without_a_trace():
    model = make_model(replace(TINY, heads=4, key_value_heads=4), small_agent.tokenizer())
    for name, weight in model.named_parameters():
        if name.endswith(("k_proj.weight", "v_proj.weight")):
            heads = weight.data.view(4, 8, 32)
            heads[1], heads[3] = heads[0], heads[2]
    merged = merge_heads(model, 2)
    assert (merged.config.num_key_value_heads, model.config.num_key_value_heads) == (2, 4)
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        assert torch.allclose(merged(ids).logits, model(ids).logits, atol=1e-6)
    assert merged.lm_head.weight is merged.model.embed_tokens.weight


def test_merged_heads_are_the_mean_of_neighbours():
    model = make_model(replace(TINY, heads=4, key_value_heads=4), small_agent.tokenizer())
    old, new = (m.model.layers[1].self_attn.k_proj.weight for m in (model, merge_heads(model, 2)))
    assert torch.allclose(new[:8], (old[:8] + old[8:16]) / 2)
    assert torch.allclose(new[8:], (old[16:24] + old[24:]) / 2)
    assert same(merge_heads(model, 4).state_dict(), model.state_dict())


@pytest.mark.parametrize("heads", [0, 3, 8])
def test_heads_that_do_not_divide_are_refused(heads):
    model = make_model(replace(TINY, heads=4, key_value_heads=4), small_agent.tokenizer())
    with pytest.raises(ValueError, match=f"4 key-value heads.*got {heads}"):
        merge_heads(model, heads)


def test_a_second_run_begins_with_the_first_ones_merged_model_and_goes_on_by_itself(tmp_path):
    first = trainer(tmp_path)
    run(first, 6)
    last = after_merging(TINY)
    second = Trainer(last, tmp_path / MERGED, compiled=False, before=first)
    assert same(weights(second), merge_heads(first.model, 1).state_dict())
    assert second.tokenizer.get_vocab() == first.tokenizer.get_vocab()
    run(second, 1)
    second.save()
    again = Trainer(last, tmp_path / MERGED, compiled=False, before=first)
    assert again.step == 1
    assert same(weights(again), weights(second))


def test_heads_that_cannot_be_merged_in_pairs_are_refused_before_any_training(tmp_path):
    with pytest.raises(ValueError, match=r"must be even.*got 3"):
        train_reference(replace(TINY, heads=3, key_value_heads=3), tmp_path)
    assert not list(tmp_path.iterdir())


# What comes out


def test_the_exported_agent_is_the_trained_one(tmp_path):
    made = trainer(tmp_path / "run", replace(TINY, steps=60))
    run(made, 3)
    made.export(tmp_path / "agent")
    assert made.model.dtype == torch.float32
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "agent", dtype=torch.float32)
    tok = AutoTokenizer.from_pretrained(tmp_path / "agent")
    assert model.generation_config.eos_token_id == made.tokenizer.eos_token_id == tok.eos_token_id
    assert json.loads((tmp_path / "agent" / "config.json").read_text())["dtype"] == "float16"
    rounded = {name: tensor.half().float() for name, tensor in made.model.state_dict().items()}
    assert same(model.state_dict(), rounded)
    (shown,) = demonstrations(TOOL_CALL, [0], level=1)
    settings = {"tools": list(shown.tools), "tokenize": False}
    text = tok.apply_chat_template(shown.as_chat(), **settings)
    assert text == made.tokenizer.apply_chat_template(shown.as_chat(), **settings)
    ids = torch.tensor([tok.encode(text)])
    with torch.no_grad():
        near, exact = model(ids).logits, made.model(ids).logits
        made.model.load_state_dict(rounded)
        assert torch.equal(model(ids).logits, made.model(ids).logits), "equal but for the rounding of the weights"
    assert (near - exact).abs().max() < 0.01 * exact.abs().max()
    assert LocalAgent(load(str(tmp_path / "agent")), "trained").stop_ids == {tok.eos_token_id}


@pytest.mark.slow
def test_train_stops_at_any_step_and_goes_on(tmp_path):
    """The whole way, compiled and with batches from another process."""
    from acgym.train.trainer import train

    small_agent.tokenizer().save_pretrained(tmp_path)
    lines = []
    assert train(TINY, tmp_path, lines.append, every=4, stop_at=3).step == 3
    assert trainer(tmp_path).step == 3
    assert train(TINY, tmp_path, lines.append, every=4, stop_at=3).step == 3
    assert train(TINY, tmp_path, lines.append, every=4).step == 6
    assert [line.split()[1] for line in lines if line.startswith("step")] == ["3", "4", "6"]
    assert "Needle" in lines[-1]
    assert trainer(tmp_path).step == 6


@pytest.mark.slow
def test_both_runs_stop_at_any_step_and_go_on(tmp_path):
    small_agent.tokenizer().save_pretrained(tmp_path)
    recipe = replace(TINY, steps=15)  # and 2 after merging
    lines = []
    for stop_at in (7, 15, 16):
        assert train_reference(recipe, tmp_path, lines.append, stop_at=stop_at) is None
    finished = train_reference(recipe, tmp_path, lines.append)
    assert (finished.step, finished.model.config.num_key_value_heads) == (2, 1)
    assert [line.split()[1] for line in lines if line.startswith("step")] == ["7", "15", "1", "2"]
