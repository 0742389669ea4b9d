"""Models that must not or cannot be loaded are refused with a sentence that helps, before anything heavy happens."""

from __future__ import annotations

import json
import shutil

import pytest

from acgym.agents.local import load
from acgym.model_files.inspect import inspect_source
from tests.helpers import small_agent


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "small-agent"
    given = small_agent.loaded()
    given.model.half().save_pretrained(folder)
    given.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def copied(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "small-agent")


def rewrite(file, **changes):
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


REFUSALS = {
    "no config": (lambda at: (at / "config.json").unlink(), "has no config.json"),
    "torn config": (lambda at: (at / "config.json").write_text('{"a": '), r"config\.json is damaged: it is not JSON"),
    "config that is a list": (lambda at: (at / "config.json").write_text("[]"), "expected a JSON object, got list"),
    "torn tokenizer settings": (
        lambda at: (at / "tokenizer_config.json").write_text("{"),
        r"tokenizer_config\.json is damaged",
    ),
    "binary config": (lambda at: (at / "config.json").write_bytes(b"\xff\xfe{}"), "is not JSON"),
    "own code in the model": (
        lambda at: rewrite(at / "config.json", auto_map={"AutoModel": "evil.Model"}),
        r"code of its own \('auto_map' in config\.json\)",
    ),
    "own code in the tokenizer": (
        lambda at: rewrite(at / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.T", None]}),
        r"'auto_map' in tokenizer_config\.json",
    ),
    "pickled weights": (
        lambda at: (at / "model.safetensors").rename(at / "pytorch_model.bin"),
        r"only pickled weights \(pytorch_model\.bin\), which can run code",
    ),
    "no weights": (lambda at: (at / "model.safetensors").unlink(), "no weights; expected"),
    "no template": (lambda at: (at / "chat_template.jinja").unlink(), "has no chat template"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_folder_that_must_not_or_cannot_be_loaded_is_refused(case, copied):
    inspect_source(str(copied))
    spoil, message = REFUSALS[case]
    spoil(copied)
    with pytest.raises(ValueError, match=message):
        inspect_source(str(copied))
    with pytest.raises(ValueError, match=message):
        load(str(copied))


def test_a_path_that_is_not_there_names_the_nearest_that_is(saved, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no model at .*small-agnt.* Did you mean .*small-agent'\?"):
        inspect_source(str(saved.parent / "small-agnt"))
    with pytest.raises(FileNotFoundError, match="expected a folder, or a hub id"):
        inspect_source("./nothing/like/it")
    monkeypatch.chdir(saved.parent.parent)
    with pytest.raises(FileNotFoundError, match="Did you mean"):  # looks like a hub id, but a folder is near
        inspect_source(f"{saved.parent.name}/small-agnt")


def test_a_hub_id_that_cannot_be_had_says_what_to_do():
    inspect_source("nobody/no-such-model")
    with pytest.raises(ValueError, match=r"cannot load the model 'nobody/no-such-model'.*check the spelling"):
        load("nobody/no-such-model")
