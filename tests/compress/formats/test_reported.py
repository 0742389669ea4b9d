"""What users of neighbouring tools reported, as cases here: each names the repository and the number of its report."""

from __future__ import annotations

import json
import shutil
import warnings
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers.processors import TemplateProcessing

from acgym.assemble.make import local
from acgym.assemble.spec import AgentSpec, parse_spec
from acgym.calibrate.sample import draw, text_beginning
from acgym.calibrate.spec import parse_calibration
from acgym.checkpoint.export import prepare_export, run_export
from acgym.compress import compress
from acgym.compress.formats.bits import pack, unpack
from acgym.compress.formats.read import read_checkpoint
from acgym.compress.stream.folder import compress_folder
from tests.helpers.compress_families import make as family
from tests.helpers.stream_folders import saved
from tests.helpers.tiny import save_model


class Report(NamedTuple):
    """Where something was reported, and what was said there."""

    repository: str
    number: int
    said: str


REPORTS = {
    "zeros": Report("vllm-project/vllm", 38966, "zeros stored as 8 under checkpoint_format gptq: every weight is off"),
    "v2": Report("vllm-project/vllm", 26092, "gptq_v2 read as the first version prints '!!!!'"),
    "index": Report("turboderp/exllama", 44, "an all-zero g_idx beside act-order that is none"),
    "dynamic": Report("vllm-project/vllm", 7086, "other bits for some modules, by regular expression"),
    "bos": Report("EleutherAI/lm-evaluation-harness", 1465, "Gemma without its BOS: perplexity of billions"),
    "calibration": Report("Xilinx/brevitas", 1229, "calibration windows without BOS"),
    "router": Report("intel/auto-round", 1486, "the gate of a mixture is quantised by default"),
    "shared": Report("ml-explore/mlx-examples", 644, "Qwen2-MoE: the routing function is sensitive"),
    "group": Report("casper-hansen/AutoAWQ", 602, "assert in_features % group_size == 0"),
    "features": Report("ModelCloud/GPTQModel", 328, "192 input features not divisible by group size 128"),
}
PROJECTION = "model.layers.0.mlp.up_proj"
MIXED = "model.layers.0.mlp.down_proj"


def reported(*names):
    """Mark a test with the reports that it stands for."""
    return pytest.mark.parametrize("report", names, ids=lambda name: "{}#{}".format(*REPORTS[name][:2]))


def test_reports_are_told_apart_by_repository_and_number():
    assert len({report[:2] for report in REPORTS.values()}) == len(REPORTS)
    assert all(report.repository.count("/") == 1 and report.said for report in REPORTS.values())


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A symmetric and an asymmetric GPTQ checkpoint with two groups a row, and one of 8 bits."""
    base = tmp_path_factory.mktemp("exports")
    model = save_model(base / "model")
    for name, recipe in (("sym", "rtn-w4-g16-sym"), ("asym", "rtn-w4-g16"), ("eight", "rtn-w8-g16-sym")):
        run_export(prepare_export(str(model), recipe, base / name, "gptq"))
    return base


def changed(exports, name, to, config=None, weights=None):
    """A copy of an export with other settings and tensors."""
    folder = shutil.copytree(exports / name, to)
    file = folder / "config.json"
    settings = json.loads(file.read_text("utf-8"))
    settings["quantization_config"].update(config or {})
    file.write_text(json.dumps(settings), "utf-8")
    if weights is not None:
        tensors = load_file(folder / "model.safetensors")
        weights(tensors)
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / "model.safetensors")
    return folder


def read(folder):
    model, facts = read_checkpoint(folder, lambda parameters, stored: torch.float32)
    return model.state_dict(), facts


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def zeros(value):
    """Store another zero point in every projection."""

    def change(tensors):
        for name in [name for name in tensors if name.endswith("qzeros")]:
            rows = tensors[name].shape[1] * 8
            tensors[name] = pack(torch.full((len(tensors[name]), rows), value), 4)

    return change


@reported("zeros", "v2")
@pytest.mark.parametrize("version", ["gptq", "gptq_v2"])
@pytest.mark.parametrize("stored", [7, 8])
def test_symmetric_zero_points_tell_the_version_whatever_the_settings_say(report, version, stored, exports, tmp_path):
    named = {"checkpoint_format": version, "format": version}
    folder = changed(exports, "sym", tmp_path / "x", named, zeros(stored))
    assert same(read(folder)[0], read(exports / "sym")[0])


@reported("zeros")
def test_symmetric_weights_with_other_zero_points_are_refused(report, exports, tmp_path):
    folder = changed(exports, "asym", tmp_path / "x", {"sym": True})
    with pytest.raises(ValueError, match=r"says sym, but its stored zero points, .* are not all 7 or all 8"):
        read(folder)


def no_index(tensors):
    for name in [name for name in tensors if name.endswith("g_idx")]:
        tensors[name] = torch.zeros_like(tensors[name])


@reported("index")
def test_an_index_that_was_never_filled_means_neighbours(report, exports, tmp_path):
    assert int(load_file(exports / "sym" / "model.safetensors")[f"{PROJECTION}.g_idx"].max()) == 1
    folder = changed(exports, "sym", tmp_path / "x", {"desc_act": False}, no_index)
    assert same(read(folder)[0], read(exports / "sym")[0])


@reported("index")
def test_an_empty_index_where_one_is_needed_is_refused(report, exports, tmp_path):
    folder = changed(exports, "sym", tmp_path / "x", {"desc_act": True}, no_index)
    with pytest.raises(ValueError, match=r"g_idx is all zero, but it has 2 groups and desc_act .* the order is lost"):
        read(folder)


def eight_bits(exports):
    """Put one projection of the checkpoint of 8 bits in."""
    other = load_file(exports / "eight" / "model.safetensors")

    def change(tensors):
        tensors.update({name: tensor for name, tensor in other.items() if name.startswith(f"{MIXED}.")})

    return change


@reported("dynamic")
@pytest.mark.parametrize("pattern", [r".*\.down_proj.*", r"+:^model\.layers\.0\.mlp\.down_proj$", "(a+)+$"])
def test_mixed_widths_are_told_from_the_tensors(report, pattern, exports, tmp_path):
    """No expression of the file is evaluated: the last of them would take forever on some names."""
    settings = {"dynamic": {"-:.*nothing.*": {}, pattern: {"bits": 8, "group_size": 16}}}
    state, facts = read(changed(exports, "sym", tmp_path / "x", settings, eight_bits(exports)))
    four, eight = read(exports / "sym")[0], read(exports / "eight")[0]
    assert all(torch.equal(state[name], (eight if name == f"{MIXED}.weight" else four)[name]) for name in state)
    assert (facts["bits"], facts["mixed_bits"]) == (None, [4, 8])


@reported("dynamic")
@pytest.mark.parametrize(
    ("dynamic", "said"),
    [
        ({"x": {"bits": 3}}, r"zero points take 256 bits a row, which is none of the widths .* 4, 3"),
        ({"x": {"bits": 5}}, "bits in quantization_config must be one of 2, 3, 4, 8, got 5"),
        ({"x": 8}, "dynamic in quantization_config must be an object of objects"),
        ([8], "dynamic in quantization_config must be an object of objects"),
    ],
)
def test_mixed_widths_that_do_not_fit_are_refused(report, dynamic, said, exports, tmp_path):
    with pytest.raises(ValueError, match=said):
        read(changed(exports, "sym", tmp_path / "x", {"dynamic": dynamic}, eight_bits(exports)))


@pytest.fixture
def with_bos(tmp_path):
    """An agent whose tokenizer begins every text with a token, and a text file."""
    agent = local(AgentSpec("m", "hf", str(save_model(tmp_path / "model")), None))
    first = agent.tokenizer.convert_ids_to_tokens(1)
    template = TemplateProcessing(single=f"{first} $A", special_tokens=[(first, 1)])
    agent.tokenizer.backend_tokenizer.post_processor = template
    (tmp_path / "text.txt").write_text("the code of ado is bel " * 80)
    return agent, tmp_path / "text.txt"


@reported("bos", "calibration")
def test_each_window_of_a_text_begins_as_the_tokenizer_begins_a_text(report, with_bos):
    agent, file = with_bos
    drawn = draw(parse_calibration(f"text:{file},4x16"), agent, {})
    assert [len(row) for row in drawn.sequences] == [16] * 4
    bare = agent.tokenizer.encode(file.read_text(), add_special_tokens=False)
    windows = [bare[at : at + 15] for at in range(0, len(bare), 15)]
    assert all(row[0] == 1 and row[1:] in windows for row in drawn.sequences)
    assert drawn.facts["sources"][0]["notes"] == ["each window begins with token 1, as the tokenizer begins a text"]
    assert draw(parse_calibration(f"text:{file},4x1"), agent, {}).sequences != [[1]] * 4  # no room for more than text


@reported("bos", "calibration")
def test_a_tokenizer_without_such_a_token_gets_none(report, tmp_path):
    agent = local(AgentSpec("m", "hf", str(save_model(tmp_path / "model")), None))
    assert text_beginning(agent.tokenizer) == []


@reported("router", "shared")
def test_routers_stay_as_they_are_in_a_packed_export_too(report, tmp_path):
    model = save_model(tmp_path / "model", family="Qwen2Moe")
    run_export(prepare_export(str(model), "rtn-w4-g16", tmp_path / "out", "compressed-tensors"))
    before, after = load_file(model / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    gate = "model.layers.0.mlp.shared_expert_gate"
    assert torch.equal(after[f"{gate}.weight"], before[f"{gate}.weight"])
    ignored = json.loads((tmp_path / "out" / "config.json").read_text())["quantization_config"]["ignore"]
    assert gate in ignored
    compress_folder(model, "rtn-w4-g16", None, tmp_path / "streamed", format="compressed-tensors")
    assert same(
        load_file(next((tmp_path / "streamed").glob("model-00001*"))),
        {name: tensor for name, tensor in after.items() if name.startswith("model.layers.0.")},
    )


@reported("group", "features")
def test_a_default_group_that_does_not_fit_is_replaced_by_the_nearest_and_said(report, tmp_path):
    model = save_model(tmp_path / "model", width=96)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        spec = parse_spec(f"hf:{model}+gptq-w4")
    assert str(spec.recipe) == "gptq-w4-g32"
    assert [str(one.message) for one in seen] == [
        "groups of 128, the default, do not divide the model's 96 input features: gptq-w4 takes g32, the nearest that "
        "fits"
    ]
    assert str(parse_spec(f"hf:{model}+gptq-w4-g128").recipe) == "gptq-w4-g128"
    record = compress(family("llama"), "rtn-w4")
    assert record.recipe == "rtn-w4-g64"
    assert "rtn-w4 takes g64, the nearest that fits" in record.notes[0]


@reported("group", "features")
def test_the_streamed_model_takes_the_same_group(report, tmp_path):
    assert compress_folder(saved(tmp_path / "model"), "rtn-w4", None, tmp_path / "out").recipe == "rtn-w4-g64"


def test_codes_survive_the_helper():
    assert torch.equal(unpack(pack(torch.full((2, 16), 8), 4), 4, 16), torch.full((2, 16), 8))
