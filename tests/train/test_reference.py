"""The reference agent really acts, on tasks that it never saw; and what ships is what the model card says."""

import json
import re

import pytest

import acgym
from acgym.agents.local import REFERENCE
from acgym.analysis.score import score
from tests.helpers.registry import PLAYED

EPISODES = 120
FIRST_SEED = 500_000_000


@pytest.fixture(scope="module")
def reference():
    return acgym.agent("reference")


@pytest.mark.slow
@pytest.mark.parametrize("env_id", PLAYED)
def test_the_reference_agent_solves_unseen_tasks(reference, env_id):
    seeds = range(FIRST_SEED, FIRST_SEED + EPISODES)
    row = score(acgym.play(reference, env_id, seeds, kwargs={"level": 1}))
    assert row.n_failed == 0
    assert row.success_interval.high > 0.9, row
    assert row.success >= 0.8, row


@pytest.mark.slow
def test_it_knows_nothing_of_what_it_was_not_trained_on(reference):
    """Level 3 is meant for far larger models: a score there would mean that a scorer gives marks away."""
    row = score(acgym.play(reference, "ACB/Workflow-v0", range(20), kwargs={"level": 3}))
    assert row.success <= 0.1


def test_weights_are_small_and_safe():
    assert sorted(path.name for path in REFERENCE.iterdir()) == [
        "MODEL_CARD.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert (REFERENCE / "model.safetensors").stat().st_size <= 25e6


def test_it_is_a_standard_architecture_that_needs_no_code_of_its_own():
    config = json.loads((REFERENCE / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert "auto_map" not in config


def test_the_model_card_states_its_scores():
    card = (REFERENCE / "MODEL_CARD.md").read_text()
    for env_id in PLAYED:
        assert re.search(rf"{re.escape(env_id)}[^\n]*0\.\d{{3}}", card), f"no score of {env_id}"
