"""Plugins: packages that are found by their entry points, here with metadata as pip leaves it, in fresh processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from acgym.scaffold.write import KINDS, write_package

ROOT = Path(__file__).resolve().parents[1]


def installed(folder, package, group, name, module, code):
    """Leave a package in a folder as pip does: its module, and metadata that names it."""
    (folder / f"{module}.py").write_text(code, "utf-8")
    info = folder / f"{package}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}\n", "utf-8")


def python(folder, *arguments, **environment):
    """Run Python with a folder of packages on its path."""
    paths = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": paths, **environment},
        cwd=folder,
    )


ENV = """
import gymnasium as gym
from acgym.suites import register_suite
gym.register("Mine/Twin-v0", "acgym.envs.context.needle:Needle", max_episode_steps=3)
register_suite("twins", ["Mine/Twin-v0"])
"""
LIST = """
import json, sys
import gymnasium as gym
import acgym
from acgym.plugins import ENVIRONMENTS, load_plugins
found = [[p.name, p.package, p.fault] for p in load_plugins(ENVIRONMENTS)]
print(json.dumps([found, "Mine/Twin-v0" in gym.registry, "torch" in sys.modules]))
"""


def test_an_environment_of_an_installed_package_is_there_with_acgym(tmp_path):
    installed(tmp_path, "twins", "acgym.environments", "twin", "twin_env", ENV)
    done = python(tmp_path, "-c", LIST)
    assert json.loads(done.stdout) == [[["twin", "twins 1.5", None]], True, False], done.stderr
    done = python(tmp_path, "-c", LIST, ACGYM_PLUGINS="0")
    assert json.loads(done.stdout) == [[], False, False], done.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_like_it", "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_broken_plugin_is_a_sentence_and_the_others_are_loaded(tmp_path, code, said):
    installed(tmp_path, "broken", "acgym.environments", "a-broken", "broken_env", code)
    installed(tmp_path, "twins", "acgym.environments", "twin", "twin_env", ENV)
    done = python(tmp_path, "-c", LIST)
    (broken, twin), there, _ = json.loads(done.stdout)
    assert (there, twin[2]) == (True, None)
    assert said in broken[2]
    assert "the plugin 'a-broken' (broken 1.5) cannot be loaded and is left out" in done.stderr


def test_a_plugin_cannot_take_the_place_of_an_environment(tmp_path):
    code = "import gymnasium as gym; gym.register('ACB/Needle-v0', 'acgym.envs.context.longqa.env:LongQA')"
    installed(tmp_path, "takers", "acgym.environments", "taker", "taker_env", code)
    code = LIST + "print(gym.make('ACB/Needle-v0').unwrapped)"
    done = python(tmp_path, "-c", code)
    found, made = done.stdout.splitlines()
    assert "it registers ACB/Needle-v0, which is there already" in json.loads(found)[0][0][2]
    assert "Needle" in made, done.stderr


METHOD = """
from acgym.compress import Compressed, register_method
register_method("halve", lambda weight, statistics, options: Compressed(weight / 2))
"""
AGENT = """
import acgym
from acgym.agents.scripted import Silent
def make(source):
    made = Silent()
    made.name = f"quiet:{source}"
    return made
acgym.register_agent("quiet", make)
"""


def test_methods_and_agents_of_packages_are_named_in_specs_and_play_in_workers(tmp_path):
    installed(tmp_path, "halves", "acgym.methods", "halve", "halve_method", METHOD)
    installed(tmp_path, "quiets", "acgym.agents", "quiet", "quiet_agent", AGENT)
    code = "from acgym.assemble.spec import parse_spec as p; print(p('reference+halve').text, p('quiet:now').kind)"
    done = python(tmp_path, "-c", code)
    assert done.stdout.split() == ["reference+halve", "quiet"], done.stderr
    words = (
        "compare",
        "oracle",
        "quiet:now",
        "--env",
        "ACB/Needle-v0",
        "--episodes",
        4,
        "--workers",
        2,
        "--out",
        "run",
    )
    done = python(tmp_path, "-m", "acgym.cli", *words)
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "run").glob("**/quiet*/episodes.jsonl")
    assert len(file.read_text("utf-8").splitlines()) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_cannot_be_a_package_is_refused(tmp_path, kind):
    for name in ("Farm", "1farm", "class", "fa rm", "../farm", "farm-", "", "f" * 100):
        with pytest.raises(ValueError, match="a package's name is small letters"):
            write_package(kind, name, tmp_path)
    for name in ("json", "acgym", "numpy"):
        with pytest.raises(ValueError, match=f"there is a module '{name}' here already"):
            write_package(kind, name, tmp_path)
    write_package(kind, "two-farms", tmp_path)
    with pytest.raises(FileExistsError, match="is there already; choose another name"):
        write_package(kind, "two-farms", tmp_path)
    with pytest.raises(ValueError, match="acgym new begins env, method, agent, got 'zoo'"):
        write_package("zoo", "farm", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_installed_by_pip_and_passes_its_own_tests(tmp_path, kind):
    write_package(kind, "two-farms", tmp_path)
    site = tmp_path / "site"
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", site)
    done = python(tmp_path, "-m", "pip", "install", *options, tmp_path / "two-farms")
    assert done.returncode == 0, done.stderr
    done = python(site, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "two-farms/tests")
    assert done.returncode == 0, done.stdout
    group = {"env": "environments", "method": "methods", "agent": "agents"}[kind]
    code = f"import acgym; from acgym.plugins import load_plugins as l; print(*l('acgym.{group}'))"
    done = python(site, "-c", code)
    assert "name='twofarms'" in done.stdout, done.stderr
    assert "fault=None" in done.stdout
