"""A model plays in vLLM as it does in the local engine, token by token."""

from __future__ import annotations

import json
import subprocess

import environments
import pytest

from acgym.agents.local import REFERENCE, LocalAgent, load
from acgym.loop import play

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
