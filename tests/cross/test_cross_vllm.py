"""A model plays in vLLM as it does in the local engine, token by token, and shows the same inside."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import acgym
from acgym.agents.local import REFERENCE, LocalAgent, load
from acgym.analysis.probe_result import ProbeOptions
from acgym.experiment.reprobe import probe_run
from acgym.experiment.run import prepare, run_comparison
from acgym.loop import play
from acgym.probe.run import probe
from acgym.record.run import Run
from tests.cross import environments

pytestmark = pytest.mark.cross

ENVS = ("ACB/Needle-v0", "ACB/ToolCall-v0")
SEEDS = 20


@pytest.fixture(scope="module")
def interpreter():
    """The environment of vLLM's CPU build, without packages of PyPI's CUDA builds that do not fit its torch."""
    python = environments.python("vllm")
    odd = ["torchvision", "torchaudio", "torchcodec"]
    subprocess.run([str(python), "-m", "pip", "uninstall", "-q", "-y", *odd], check=True, timeout=300)
    return python


def test_reference_agent_in_vllm_says_the_same_tokens(interpreter, tmp_path):
    job = {"model": str(REFERENCE), "out": str(tmp_path / "played"), "options": {"envs": ENVS, "seeds": SEEDS}}
    report = environments.run(interpreter, "in_vllm.py", job, VLLM_CPU_KVCACHE_SPACE="1", OMP_NUM_THREADS="1")
    assert report["facts"]["template_shows_tools"]
    here = LocalAgent(load(str(REFERENCE)), "here")
    for env in ENVS:
        episodes = play(here, env, range(SEEDS), kwargs={"level": 1})
        said = [[[t.prompt_ids, t.token_ids, t.finish_reason] for t in e.turns] for e in episodes]
        assert report["played"][env] == json.loads(json.dumps(said))


def sequences():
    """Decision tokens of the reference agent's own episodes, and some that nobody would say."""
    agent = LocalAgent(load(str(REFERENCE)), "here")
    played = [s for env in ENVS for e in play(agent, env, range(4), kwargs={"level": 1}) for s in e.sequences()]
    return [*played, (list(range(3, 300)), [(1, 150), (200, 297)])]


def signals_of(interpreter, model, tmp_path, rows, dtype):
    job = {"model": str(model), "out": str(tmp_path / "probed"), "dtype": dtype, "options": {"sequences": rows}}
    report = environments.run(interpreter, "in_vllm_probe.py", job, VLLM_CPU_KVCACHE_SPACE="1", OMP_NUM_THREADS="1")
    return report["signals"]


def assert_close(found, wanted, near):
    for name in ("erank", "diff_erank", "energy", "nll", "margin"):
        assert found[name] == pytest.approx(wanted[name], rel=near)
    assert found["n_tokens"] == wanted["n_tokens"]
    assert list(found["erank_layers"].values()) == pytest.approx(list(wanted["erank_layers"].values()), rel=near)


def test_hidden_states_of_vllm_give_the_same_signals(interpreter, tmp_path):
    rows = sequences()
    wanted = probe(load(str(REFERENCE)).model, rows, layers="all").to_dict()
    found = signals_of(interpreter, REFERENCE, tmp_path, rows, "float32")
    assert_close(found, json.loads(json.dumps(wanted)), 1e-5)


def test_a_quantised_model_is_probed_in_vllm(interpreter, tmp_path):
    """Its packed layers run there; here are norm and head alone."""
    exported = tmp_path / "gptq"
    command = [sys.executable, "-m", "acgym.cli", "compress", str(REFERENCE), "gptq-w4-g128-sym"]
    subprocess.run([*command, "--out", str(exported), "--format", "gptq"], check=True, timeout=600)
    rows = sequences()
    wanted = probe(acgym.agent(f"hf:{exported}").model, rows, layers="all").to_dict()
    found = signals_of(interpreter, exported, tmp_path, rows, "auto")
    assert_close(found, json.loads(json.dumps(wanted)), 0.02)


def test_agents_of_a_run_are_probed_along_their_own_episodes(interpreter, tmp_path):
    """The run is one that vLLM's agent could have played: it says the same tokens as the local one."""
    settings = prepare([f"hf:{REFERENCE}"], [ENVS[0]], episodes=3, level=1)
    run_comparison(settings, tmp_path / "run")
    run = Run.read(tmp_path / "run")
    wanted = probe_run(run, [], ProbeOptions(own=True)).agents[0].signals.by_env[ENVS[0]].to_json()
    in_vllm = f"vllm:{REFERENCE}#len=2048"
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    manifest["settings"]["agents"] = [in_vllm]
    manifest["settings"]["models"] = {in_vllm: None}
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    run.folder(run.settings["agents"][0]).rename(run.folder(in_vllm))
    (run.folder(in_vllm) / "signals-own.json").unlink()
    job = {"out": str(tmp_path / "probed"), "options": {"run": str(tmp_path / "run")}}
    report = environments.run(interpreter, "in_vllm_probe.py", job, VLLM_CPU_KVCACHE_SPACE="1", OMP_NUM_THREADS="1")
    found = report["agents"][0]["signals"]["by_env"][ENVS[0]]
    assert_close(found, json.loads(json.dumps(wanted)), 0.02)
