"""GGUF files are read as what they mean, recorded as what they store, and refused in a sentence where damaged."""

from __future__ import annotations

import struct

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acgym.agents.local import LocalAgent, load
from acgym.assemble.fit import check_fits
from acgym.assemble.folder import fingerprint
from acgym.assemble.spec import parse_spec
from acgym.compress import parse
from acgym.compress.formats.read import read_checkpoint
from acgym.model_files.gguf import gguf_file, read_header
from acgym.model_files.inspect import inspect_source
from tests.helpers import ggufs


@pytest.fixture(scope="module")
def model():
    return ggufs.dense()


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    return ggufs.write(model, tmp_path_factory.mktemp("gguf") / "small.Q8_0.gguf", "Q8_0")


def logits(model):
    with torch.no_grad():
        return model(torch.tensor([[5, 77, 123, 9, 42]])).logits


def test_plain_weights_come_back_exactly(model, tmp_path):
    read = load(str(ggufs.write(model, tmp_path / "plain.gguf")), read_checkpoint)
    assert all(torch.equal(read.model.state_dict()[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.allclose(logits(read.model), logits(model), atol=1e-5)
    assert read.checkpoint == {}  # nothing of it is compressed
    assert read.tokenizer.decode(read.tokenizer.encode("the code é\n")) == "the code é\n"


@pytest.mark.parametrize(("kind", "bits", "steps"), [("Q8_0", 8.5, 127), ("Q4_0", 4.5, 8), ("Q5_1", 6.0, 15)])
def test_quantised_weights_are_multiplied_out_and_recorded(model, tmp_path, kind, bits, steps):
    path = ggufs.write(model, tmp_path / f"{kind}.gguf", kind)
    read, facts = read_checkpoint(path, lambda count, stored: torch.float32)
    matrices = {name: tensor for name, tensor in model.state_dict().items() if tensor.ndim > 1}
    for name, tensor in matrices.items():
        groups, found = (t.reshape(-1, 32) for t in (tensor, read.state_dict()[name]))
        span = groups.amax(1) - groups.amin(1) if kind == "Q5_1" else groups.abs().amax(1)
        assert (groups - found).abs().amax(1).le(1.01 * span / steps + 1e-6).all()
        assert not torch.equal(groups, found)
    weights = sum(t.numel() for name, t in matrices.items() if name != "lm_head.weight")
    assert (facts["quant_method"], facts["format"], facts["bits_per_weight"]) == ("gguf", kind, bits)
    assert facts["types"] == {"F32": 5, kind: 15}
    assert facts["weight_bytes"] == weights * bits / 8 + 4 * 5 * 64
    assert facts["bytes_on_disk"] == path.stat().st_size


def test_an_agent_of_a_file_records_what_it_stores(file):
    agent = LocalAgent(load(str(file), read_checkpoint), "small")
    assert agent.facts["checkpoint"]["types"] == {"F32": 5, "Q8_0": 15}
    assert agent.stop_ids == {2}


def test_a_folder_with_one_file_means_the_file(file, tmp_path):
    assert gguf_file(file.parent) == file
    assert parse_spec(f"hf:{file.parent}").kind == "hf"
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="holds 2 GGUF files"):
        gguf_file(tmp_path)


def test_specs_name_files_recipes_and_fingerprints(file):
    spec = parse_spec(f"gguf:{file}+rtn-w4-g32")
    assert (spec.kind, spec.base.text, str(spec.recipe)) == ("gguf", f"gguf:{file}", "rtn-w4-g32")
    assert len(fingerprint(spec) or "") == 16
    assert parse_spec(str(file)).text == f"gguf:{file}"  # a path may stand alone
    with pytest.raises(FileNotFoundError, match="there is no model"):
        parse_spec(f"gguf:{file.parent / 'none.gguf'}")
    with pytest.raises(ValueError, match="groups of 48"):
        check_fits([(parse("rtn-w4-g48"), file, "small")])


def damaged(file, tmp_path, content):
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: b"GGML" + c[4:], "it begins with b'GGML'"),
        (lambda c: c[:4] + struct.pack("<I", 1) + c[8:], "of version 1"),
        (lambda c: c[:8] + struct.pack("<Q", 1 << 60) + c[16:], "tensors and .* settings do not fit"),
        (lambda c: c[:16] + struct.pack("<Q", 1 << 60) + c[24:], "tensors and .* settings do not fit"),
        (lambda c: c[:2000], "it is cut off"),
        (lambda c: c[:-100], "ends behind the file"),
        (lambda c: b"", "damaged"),
        (lambda c: c.replace(b"llama.block_count\x04\0\0\0\x02", b"llama.block_count\x04\0\0\0\xff"), "255 layers"),
    ],
)
def test_damaged_files_are_refused_in_a_sentence(file, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        inspect_source(str(damaged(file, tmp_path, change(file.read_bytes()))))


def test_a_file_without_a_chat_template_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match="has no chat template"):
        inspect_source(str(ggufs.write(model, tmp_path / "base.gguf", template="")))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 5000), value=st.integers(0, 255))
def test_any_wrong_byte_in_the_header_is_a_value_error_or_nothing(file, tmp_path, at, value):
    content = bytearray(file.read_bytes())
    content[at] = value
    path = tmp_path / f"byte-{at}-{value}.gguf"
    path.write_bytes(content)
    try:
        header, said = read_header(path), None
    except ValueError as error:
        header, said = None, str(error)
    finally:
        path.unlink()
    if header is None:
        assert said.startswith(str(path))
    else:
        assert sum(tensor.nbytes for tensor in header.tensors.values()) <= len(content)


def test_a_configuration_larger_than_the_file_is_refused_before_it_is_built(file, tmp_path):
    content = file.read_bytes()
    huge = content.replace(
        b"llama.feed_forward_length\x04\0\0\0\x80\0\0\0", b"llama.feed_forward_length\x04\0\0\0\0\0\0\x40"
    )
    assert huge != content
    with pytest.raises(ValueError, match="describes a model of"):
        load(str(damaged(file, tmp_path, huge)), read_checkpoint)


@pytest.mark.slow
def test_every_type_that_the_package_decodes_is_read(tmp_path):
    import numpy as np
    from gguf import dequantize
    from gguf.constants import GGML_QUANT_SIZES
    from gguf.quants import _type_traits

    model = ggufs.dense(width=256, layers=1)
    name = "model.layers.0.mlp.down_proj.weight"
    for kind in _type_traits:
        block, width = GGML_QUANT_SIZES[kind]
        drawn = {}

        def blocks(name, array, block=block, width=width, drawn=drawn):
            """Any bytes but those that make scales infinite."""
            rng = np.random.default_rng(len(drawn))
            drawn[name] = rng.integers(0, 60, (array.shape[0], array.shape[1] // block * width), dtype=np.uint8)
            return drawn[name]

        path = ggufs.write(model, tmp_path / f"{kind.name}.gguf", kind.name, pack=blocks)
        read, facts = read_checkpoint(path, lambda count, stored: torch.float32)
        wanted = torch.from_numpy(np.array(dequantize(drawn[name], kind)))
        assert torch.equal(read.state_dict()[name].nan_to_num(), wanted.nan_to_num()), kind.name
        if kind.name != "BF16":
            assert facts["bits_per_weight"] == 8 * width / block
