"""``import acgym`` in fresh processes: what it loads, what it costs, what it registers, what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import acgym
from tests.helpers.registry import FROM_FILES, IDS, SIMULATED

ROOT = Path(__file__).resolve().parent.parent
ALL = sorted({*FROM_FILES, *IDS, *SIMULATED})
HEAVY = ["torch", "transformers", "tokenizers", "scipy", "rich", "typer"]
BUDGET_S = 0.3


def python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh interpreter that sees the checkout."""
    return subprocess.run([sys.executable, *options, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)


def answer(code: str, *options: str):
    """Run ``code``, which prints one JSON value, and return the value."""
    done = python(code, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_import_loads_nothing_heavy():
    assert answer(f"import acgym, json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))") == []
    heavy = answer(f"import json, sys, torch; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))")
    assert heavy == ["torch"]


def test_what_workers_load_has_no_statistics():
    """They take two seconds to load, and only the process that makes the tables uses them."""
    assert answer("import acgym.experiment, json, sys; print(json.dumps('scipy' in sys.modules))") is False


def test_import_is_quick():
    """Processor time, so that a machine that is busy with something else does not decide."""
    code = "import time; t = time.process_time(); import acgym; print(time.process_time() - t)"
    seconds = []
    for _ in range(10):
        seconds.append(answer(code))
        if seconds[-1] < BUDGET_S:
            break
    assert min(seconds) < BUDGET_S


def test_import_registers_each_id_once_and_without_a_warning():
    code = (
        "import gymnasium as gym, json; calls = []; real = gym.envs.registration.register\n"
        "gym.envs.registration.register = lambda *a, **k: (calls.append(a[0]), real(*a, **k))\n"
        "import acgym, acgym.envs\n"
        "made = sorted(id for id, spec in gym.registry.items() if spec.namespace == 'ACB')\n"
        "print(json.dumps([sorted(calls), made]))"
    )
    assert answer(code, "-W", "error") == [ALL, ALL]


@pytest.mark.parametrize("env_id", IDS)
def test_module_prefix_in_make_is_enough(env_id):
    code = (
        f"import gymnasium as gym, json, sys; env = gym.make('acgym:{env_id}', level=1)\n"
        "obs, info = env.reset(seed=0)\n"
        "print(json.dumps([env.spec.id, bool(obs), 'torch' in sys.modules]))"
    )
    assert answer(code) == [env_id, True, False]


@pytest.mark.parametrize("room", ["envs", "agents", "compress"])
def test_room_is_refused_under_a_top_level_name(room):
    done = python(f"import {room}")
    assert done.returncode != 0
    message = f"this package is acgym.{room}; it was imported as '{room}'. Write 'import acgym.{room}'."
    assert done.stderr.strip().endswith(f"ImportError: {message}")


@pytest.mark.parametrize("name", acgym.__all__)
def test_public_name_resolves(name):
    assert getattr(acgym, name) is getattr(acgym, name)
    assert name in dir(acgym)


def test_no_public_object_shares_its_name_with_a_module():
    """Importing the module would put it in the object's place."""
    assert [name for name in acgym._OBJECTS if (ROOT / "acgym" / f"{name}.py").exists()] == []


def test_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(AttributeError, match=r"module 'acgym' has no attribute 'agnt'; it has Agent, ComparisonResult"):
        acgym.agnt  # noqa: B018
