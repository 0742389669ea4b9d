"""What the README shows works as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def _run(code: str, cwd: Path) -> str:
    script = cwd / "shown.py"
    script.write_text(code, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script.name], cwd=cwd, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_raw_gymnasium_loop_plays_an_episode_to_its_end(tmp_path):
    loop = next(block for block in BLOCKS if "while not done" in block)
    seen = _run(loop + '\nprint(info["success"], info["progress"], len(chat.messages))\n', tmp_path).split()
    assert seen[0] in ("True", "False")
    assert 0.0 <= float(seen[1]) <= 1.0
    assert int(seen[2]) >= 2


@pytest.mark.slow
def test_a_compression_method_of_ones_own_makes_an_agent(tmp_path):
    method = next(block for block in BLOCKS if "register_method" in block)
    code = "import acgym\n" + method + "\nprint(agent.name)\n"
    assert _run(code, tmp_path).strip() == "reference+halve"


def test_the_commands_that_it_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake (\w[\w-]*)", README))
    assert {"compare", "test"} <= named
    for target in named & {"compare", "test", "lint", "test-slow"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_environment_and_command_is_named():
    for word in ("ACB/ToolCall-v0", "ACB/Workflow-v0", "ACB/Needle-v0", "ACB/Household-v0"):
        assert word in README
    for command in ("compare", "play", "envs", "train"):
        assert f"acgym {command}" in README
