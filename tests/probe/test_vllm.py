"""A model that vLLM runs, probed: here another engine stands in for vLLM, which the cross suite runs."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from acgym.probe import vllm as probe_vllm
from acgym.probe.run import probe, probe_pair
from acgym.probe.vllm import in_vllm
from tests.helpers.compress_families import make
from tests.helpers.probed import random_sequences


class StandIn:
    """Answers as vLLM's engine does, from transformers' hidden states."""

    def __init__(self, model, layers, shift=0):
        self.model, self.layers, self.shift, self.chosen, self.asked = model, layers, shift, [], []

    @torch.inference_mode()
    def states(self, prompts, device):
        stack = self.model.base_model.layers
        found = {}
        hooks = [
            stack[n - 1].register_forward_hook(lambda _, __, out, n=n: found.update({n: out})) for n in self.layers
        ]
        logits = self.model(input_ids=torch.tensor(prompts), use_cache=False).logits
        for hook in hooks:
            hook.remove()
        self.asked.append(prompts)
        self.chosen = logits[:, -1].argsort(descending=True)[:, self.shift].tolist()
        return found


@pytest.fixture
def engine(monkeypatch):
    """Let engines be made of whole models; yields those that were made, and how many are still there."""
    made = SimpleNamespace(all=[], alive=0, shift=0)

    def start(model):
        @contextmanager
        def stand_in(folder, layers, dtype, tensor_parallel, context, arguments):
            made.all.append(StandIn(model, layers, made.shift))
            made.alive += 1
            yield made.all[-1]
            made.alive -= 1

        monkeypatch.setattr(probe_vllm, "find_spec", lambda name: object())
        monkeypatch.setattr(probe_vllm, "_engine", stand_in)
        return made

    return start


@pytest.mark.parametrize("family", ["llama", "gemma2", "qwen2"])
def test_signals_are_those_of_the_whole_model(engine, tmp_path, family):
    whole, sequences = make(family), random_sequences(4)
    made = engine(whole)
    whole.save_pretrained(tmp_path)
    with in_vllm(tmp_path, "all", device="cpu") as model:
        held = sum(p.numel() for p in model.parameters())
        assert held < sum(p.numel() for p in whole.parameters())
        assert not any(p.is_meta for p in model.parameters())
        assert probe(model, sequences, layers="all").to_dict() == probe(whole, sequences, layers="all").to_dict()
        assert probe_pair(whole, model, sequences).kl == 0
    assert made.alive == 0


def test_only_the_layers_that_are_watched_are_handed_over(engine, tmp_path):
    whole = make("llama")
    made = engine(whole)
    whole.save_pretrained(tmp_path)
    depth = whole.config.num_hidden_layers
    with in_vllm(tmp_path, device="cpu") as model:
        assert made.all[-1].layers == [depth]
        probe(model, random_sequences(2))
        with pytest.raises(ValueError, match=r"layer 1 is watched, but vLLM was not asked for it"):
            probe(model, random_sequences(2), layers=[1])


def test_a_head_that_leads_elsewhere_is_refused(engine, tmp_path):
    whole = make("llama")
    engine(whole).shift = probe_vllm.NEAR
    whole.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="not among the first 5"), in_vllm(tmp_path, device="cpu"):
        pass


def test_quantised_layers_are_left_to_vllm(engine, tmp_path):
    whole = make("llama")
    engine(whole)
    whole.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4, "group_size": 32}
    (tmp_path / "config.json").write_text(json.dumps(config))
    kept = {name: tensor for name, tensor in whole.state_dict().items() if ".layers." not in name}
    save_file({name: tensor.clone() for name, tensor in kept.items()}, tmp_path / "model.safetensors", {"format": "pt"})
    sequences = random_sequences(2)
    with in_vllm(tmp_path, device="cpu") as model:
        assert probe(model, sequences).to_dict() == probe(whole, sequences).to_dict()


def test_missing_vllm_is_named_before_anything_is_read(tmp_path):
    with pytest.raises(ImportError, match=r'pip install "acgym\[vllm\]"'), in_vllm(tmp_path / "nothing"):
        pass


@pytest.mark.parametrize("layers", [[0], [99], "some"])
def test_layers_that_are_not_there_are_refused(engine, tmp_path, layers):
    whole = make("llama")
    engine(whole)
    whole.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="layer"), in_vllm(tmp_path, layers):
        pass


def test_a_file_of_another_shape_is_no_answer(tmp_path):
    save_file({"hidden_states": torch.zeros(3, 2, 4)}, tmp_path / "a.safetensors")
    with pytest.raises(RuntimeError, match=r"expected hidden states of 5 tokens behind 2 layers, got a tensor"):
        probe_vllm._read({"hidden_states_path": str(tmp_path / "a.safetensors")}, 5, 2)
    with pytest.raises(RuntimeError, match="handed over no hidden states"):
        probe_vllm._read(None, 5, 2)


def test_a_file_that_never_comes_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(probe_vllm, "WAIT", 0.01)
    with pytest.raises(RuntimeError, match="did not come within"):
        probe_vllm._read({"hidden_states_path": str(tmp_path / "a.safetensors")}, 1, 1)
