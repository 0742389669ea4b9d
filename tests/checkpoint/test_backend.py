"""Other people's code as a backend of ``acgym compress``: what is refused, and when. It runs in tests/cross."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from acgym import __version__
from acgym.checkpoint.export import prepare_export, run_export
from acgym.cli.app import app
from acgym.compress.formats.autoawq import check_model, check_recipe
from acgym.compress.recipe import parse
from tests.helpers.compress_families import make
from tests.helpers.tiny import save_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def missing(monkeypatch):
    monkeypatch.setattr("acgym.compress.formats.autoawq.find_spec", lambda name: None)


@pytest.mark.usefixtures("missing")
@pytest.mark.parametrize(
    ("recipe", "given", "said"),
    [
        ("awq-w4-g32", {"backend": "auto-awq"}, "unknown backend 'auto-awq'; known: acgym, autoawq"),
        ("awq-w4-g32", {"format": "compressed-tensors"}, "writes the awq format, got 'compressed-tensors'"),
        ("gptq-w4-g32", {}, "makes 4-bit AWQ weights and nothing else, got gptq-w4-g32"),
        ("sparsegpt-50+awq-w4-g32", {}, "and nothing else, got sparsegpt-50"),
        ("awq-w4-g32-sym", {}, "asymmetric weights in groups only"),
        ("awq-w4-channel", {}, "asymmetric weights in groups only"),
        ("awq-w4-g32", {"ignore": ["*.down_proj"]}, r"drop --ignore '\*.down_proj'"),
    ],
)
def test_what_autoawq_cannot_do_is_said_first(recipe, given, said, model, tmp_path):
    with pytest.raises(ValueError, match=said):
        prepare_export(str(model), recipe, tmp_path / "out", **{"format": "awq", "backend": "autoawq", **given})


@pytest.mark.usefixtures("missing")
def test_a_missing_extra_names_the_command_that_installs_it_before_the_model_is_loaded(model, tmp_path, monkeypatch):
    monkeypatch.setattr("acgym.agents.local.load", lambda *a, **k: pytest.fail("the model was loaded"))
    command = ["compress", str(model), "awq-w4-g32", "--out", str(tmp_path / "out"), "--format", "awq"]
    done = CliRunner().invoke(app, [*command, "--backend", "autoawq"])
    assert (done.exit_code, "pip install 'acgym[autoawq]'" in done.stderr) == (2, True)
    done = CliRunner().invoke(app, [*command, "--backend", "autoawq", "--stream"])
    assert (done.exit_code, "holds the whole model in memory; drop --stream" in done.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("family", "recipe", "said"),
    [
        ("mixtral", "awq-w4-g32", "stacked experts, which AutoAWQ does not know"),
        ("llama", "awq-w4-g48", "groups of 48 do not divide"),
        ("llama", "awq-w4-g32", r"k_proj has 32 outputs, and AutoAWQ clips by 64; add '-noclip'"),
    ],
)
def test_shapes_that_autoawq_stumbles_over_are_refused(family, recipe, said):
    with pytest.raises(ValueError, match=said):
        check_model(make(family), check_recipe(parse(recipe)))


def test_shapes_that_autoawq_takes_are_not():
    check_model(make("llama"), check_recipe(parse("awq-w4-g32-noclip")))


def test_the_record_names_the_backend(model, tmp_path):
    run_export(prepare_export(str(model), "rtn-w4-g32", tmp_path / "out", "awq"))
    sheet = json.loads((tmp_path / "out/acgym_compression.json").read_text("utf-8"))
    assert sheet["backend"] == {"name": "acgym", "version": __version__}
    assert f"compressed by acgym {__version__} with the recipe" in (tmp_path / "out/README.md").read_text("utf-8")
