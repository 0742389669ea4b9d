"""What a compressed model may not hang on: threads of the process, and where a file's tensors lie in memory."""

from __future__ import annotations

import copy

import pytest
import torch

from acgym.compress import Compressed, compress
from acgym.compress.methods.table import METHODS
from acgym.compress.stream.folder import compress_folder
from acgym.compress.walk.same_bits import THREADS, align, compression_threads, fixed_threads
from tests.helpers.compress_families import make as family
from tests.helpers.compress_models import make, registered, text
from tests.helpers.stream_folders import saved

RECIPES = {
    "rtn": "rtn-w4-g32",
    "gptq": "gptq-w4-g32-actorder",
    "magnitude": "magnitude-50",
    "wanda": "wanda-50",
    "awq": "awq-w4-g32",
    "smoothquant": "smoothquant-w8a8",
    "act": "act-int8",
    "kv": "kv-int8",
    "sparsegpt": "sparsegpt-50",
    "fp8": "fp8",
    "mxfp4": "mxfp4",
    "nvfp4": "nvfp4",
}


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def seen_by_a_method(count, run):
    """Threads that a method and the layers' forward passes compute with, where the process has ``count``."""
    seen = []

    def spy(weight, statistics, options):
        seen.append(torch.get_num_threads())
        return Compressed(weight / 2)

    torch.set_num_threads(count)
    with registered("spy", spy, needs="hessian"):
        run("spy", lambda *_: seen.append(torch.get_num_threads()))
    assert torch.get_num_threads() == count
    return set(seen)


@pytest.mark.parametrize("count", [1, 2])
def test_compression_computes_with_one_thread_and_gives_the_others_back(count, tmp_path, monkeypatch):
    monkeypatch.delenv(THREADS, raising=False)
    model, source = make(num_hidden_layers=1), saved(tmp_path / "model", num_hidden_layers=1)

    def whole(recipe, spy):
        next(iter(model.model.layers)).register_forward_pre_hook(spy)
        assert compress(model, recipe, text(2)).machine["threads"] == 1

    def streamed(recipe, spy):
        assert compress_folder(source, recipe, text(2), tmp_path / "out", progress=spy).machine["threads"] == 1

    assert seen_by_a_method(count, whole) == {1}
    assert seen_by_a_method(count, streamed) == {1}


def test_threads_come_back_after_an_error(monkeypatch):
    torch.set_num_threads(2)
    with pytest.raises(RuntimeError, match="midway"), fixed_threads():
        raise RuntimeError("midway")
    assert torch.get_num_threads() == 2


def test_another_number_of_threads_is_one_setting(monkeypatch):
    monkeypatch.setenv(THREADS, "2")
    torch.set_num_threads(1)
    model = make(num_hidden_layers=1)
    assert compress(model, "rtn-w4-g32").machine["threads"] == 2
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", "9999", "²"])
def test_a_number_of_threads_that_is_none_is_refused(given, monkeypatch):
    monkeypatch.setenv(THREADS, given)
    with pytest.raises(ValueError, match=f"{THREADS} must be a number of threads from 1 to 1024"):
        compression_threads()


def test_every_method_has_its_case():
    assert RECIPES.keys() == METHODS.keys()


@pytest.mark.parametrize("recipe", RECIPES.values())
def test_no_method_hangs_on_the_threads_of_the_process(recipe):
    models = []
    for count in (1, 2):
        torch.set_num_threads(count)
        models.append(make(num_hidden_layers=2))
        compress(models[-1], recipe, text(3))
    assert all(torch.equal(p, q) for p, q in zip(*(model.parameters() for model in models), strict=True))


def shifted(model, elements):
    """The same model with parameters that begin so many elements behind an aligned address, as in a mapped file."""
    for parameter in model.parameters():
        room = torch.empty(parameter.numel() + elements)
        room[elements:] = parameter.detach().flatten()
        parameter.data = room[elements:].view_as(parameter)
    return model


def test_no_weight_hangs_on_where_the_weights_lay_before():
    """Qwen2-MoE has a gate with one output: a product with a vector, which is summed otherwise unaligned."""
    plain, elements = family("qwen2_moe"), 2
    one, other = copy.deepcopy(plain), shifted(copy.deepcopy(plain), elements)
    records = [compress(model, "awq-w4-g32", text(4)) for model in (one, other)]
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters(), strict=True))
    assert records[0].layers == records[1].layers


def test_aligned_parameters_stay_the_same_objects_with_the_same_values():
    model = shifted(torch.nn.Linear(3, 5), 1)
    tied = model.weight
    before = tied.detach().clone()
    assert tied.data_ptr() % 64
    align(model)
    assert model.weight is tied
    assert not tied.data_ptr() % 64
    assert torch.equal(tied, before)
    place = tied.data_ptr()
    align(model)
    assert tied.data_ptr() == place
