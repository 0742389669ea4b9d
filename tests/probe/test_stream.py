"""A model read from the disk layer by layer: the signals of the whole model, with one layer in memory."""

from __future__ import annotations

import pytest
import torch

from acgym.probe.run import probe, probe_pair
from acgym.probe.stream import streamed
from tests.helpers.compress_families import make
from tests.helpers.probed import random_sequences


@pytest.fixture
def folder(tmp_path):
    return lambda family: (make(family).save_pretrained(tmp_path / family), tmp_path / family)[1]


def alive(model):
    return sum(p.numel() for p in model.parameters() if p.device.type != "meta")


@pytest.mark.parametrize("family", ["llama", "gemma2", "qwen2"])
def test_signals_are_those_of_the_whole_model(folder, family):
    whole, paged = make(family), streamed(folder(family), device="cpu")
    sequences = random_sequences(4)
    alone = probe(whole, sequences, layers="all")
    assert probe(paged, sequences, layers="all").to_dict() == alone.to_dict()
    assert probe_pair(whole, paged, sequences).kl == 0


def test_one_layer_is_in_memory_at_a_time(folder):
    model = streamed(folder("llama"), device="cpu")
    outside = alive(model)
    layer = sum(p.numel() for p in model.model.layers[0].parameters())
    seen = []
    for block in model.model.layers:
        block.mlp.register_forward_hook(lambda *_: seen.append(alive(model)))
    probe(model, random_sequences(2), batch_tokens=10_000)
    assert set(seen) == {outside + layer}
    assert len(seen) == 4  # the check and one batch, two layers each
    assert alive(model) == outside


def test_a_layer_that_fails_is_dropped_too(folder):
    model = streamed(folder("llama"), device="cpu")
    outside = alive(model)
    with pytest.raises(RuntimeError), torch.no_grad():
        model.model.layers[0](torch.zeros(1, 2, 3))
    assert alive(model) == outside


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no model folder"):
        streamed(tmp_path)
