"""The four ways to have acgym: a wheel, a source distribution, an editable installation, a bare checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import acgym
from tests.helpers.registry import PLAYED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["envs", "agents", "compress"]
WAYS = ["wheel", "sdist", "editable", "checkout"]
SENTINEL = "reference/shipped-too.json"
"""A data file put among the reference model's, so that shipping data is tested whatever the folder holds."""

PROBE = """
import gymnasium, importlib.metadata, importlib.resources, importlib.util, json, sys
import acgym, acgym.agents, acgym.compress, acgym.suites
played = {}
for env_id in acgym.suites.suite_named("quick"):
    env = gymnasium.make(env_id, level=1)
    env.reset(seed=0)
    played[env_id] = env.step(env.unwrapped.oracle())[4]["malformed"]
folder = importlib.resources.files("acgym.agents") / "reference"
origins = {}
for room in ["envs", "agents", "compress", "tests", "acgym.envs", "acgym.agents", "acgym.compress"]:
    found = importlib.util.find_spec(room)
    origins[room] = found.origin if found else None
print(json.dumps({
    "files": [acgym.__file__, acgym.envs.__file__, acgym.agents.__file__, acgym.compress.__file__],
    "origins": origins,
    "played": played,
    "data": sorted(f"reference/{path.name}" for path in folder.iterdir()),
    "versions": [d.version for d in importlib.metadata.distributions() if d.name == "acgym"],
    "heavy": "torch" in sys.modules,
}))
"""

TYPED = """
import acgym
from acgym.agents.base import Agent
from acgym.envs.names import names
from acgym.types import Task

name: int = names("eval")[0]
"""


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    """Run a command and return what it printed; its errors are the failure message."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | env
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def source_files(root: Path) -> set[str]:
    """Modules and data files of a checkout by their place in an installation, such as ``acgym/envs/names.py``."""
    found = {"acgym/py.typed"}
    for folder, package in (("acgym", "acgym"), *((room, f"acgym/{room}") for room in ROOMS)):
        found.update(
            f"{package}/{path.relative_to(root / folder).as_posix()}" for path in (root / folder).rglob("*.py")
        )
    for folder in ("reference", "smollm2"):
        found.update(f"acgym/agents/{folder}/{path.name}" for path in (root / "agents" / folder).iterdir())
    data = (path for path in (root / "envs").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    found.update(f"acgym/envs/{path.relative_to(root / 'envs').as_posix()}" for path in data)
    templates = (root / "acgym/scaffold/templates").rglob("*.txt")
    found.update(path.relative_to(root).as_posix() for path in templates)
    for kind in ("report", "report/acbench"):
        found.update(f"acgym/{kind}/{path.name}" for path in (root / "acgym" / kind).iterdir() if path.is_file())
    return found


def copy_checkout(target: Path) -> Path:
    """Copy what a clone holds, so that building leaves nothing behind here; add the sentinel."""
    for folder in ("acgym", *ROOMS):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    (target / "agents/reference").mkdir(exist_ok=True)
    (target / "agents" / SENTINEL).write_text("{}", "utf-8")
    return target


def new_environment(target: Path) -> Path:
    """Make a virtual environment that sees the packages of this one, but none that is installed editable here."""
    venv.create(target, with_pip=False, symlinks=os.name != "nt")
    python = target / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", code, cwd=target).strip())
    here = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (site / "zz_dependencies.pth").write_text("\n".join(here) + "\n", "utf-8")
    return python


def install(python: Path, *what: str | Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    run(*pip, "--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed", *what, cwd=python.parent)


@dataclass(frozen=True)
class Built:
    """One checkout and what was built from it."""

    checkout: Path
    sdist: Path
    wheel: Path
    """Built from the checkout."""
    wheel_of_sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    checkout = copy_checkout(tmp_path_factory.mktemp("checkout"))
    direct, by_sdist = tmp_path_factory.mktemp("direct"), tmp_path_factory.mktemp("by_sdist")
    build = [sys.executable, "-m", "build", "--no-isolation", checkout, "--outdir"]
    run(*build, by_sdist, cwd=by_sdist)
    run(*build, direct, "--wheel", cwd=direct)
    shutil.rmtree(checkout / "build")
    wheels = [next(folder.glob("*.whl")) for folder in (direct, by_sdist)]
    return Built(checkout, next(by_sdist.glob("*.tar.gz")), *wheels)


@pytest.fixture(scope="module", params=WAYS)
def installed(request, built, tmp_path_factory) -> tuple[str, Path, dict[str, str]]:
    """One way to have acgym: its name, a Python that has it, and the environment variables this takes."""
    python = new_environment(tmp_path_factory.mktemp(request.param) / "venv")
    if request.param == "checkout":
        return request.param, python, {"PYTHONPATH": str(built.checkout)}
    what = {"wheel": [built.wheel], "sdist": [built.wheel_of_sdist], "editable": ["-e", built.checkout]}
    install(python, *what[request.param])
    return request.param, python, {}


def probe(installed, cwd: Path) -> dict:
    _, python, env = installed
    return json.loads(run(python, "-c", PROBE, cwd=cwd, **env))


def test_it_works_from_any_folder(installed, tmp_path):
    seen = probe(installed, tmp_path)
    assert seen["played"] == dict.fromkeys(PLAYED, False)
    assert seen["heavy"] is False


def test_it_is_this_acgym(installed, built, tmp_path):
    way, python, _ = installed
    home = python.parent.parent if way in ("wheel", "sdist") else built.checkout
    seen = probe(installed, tmp_path)
    assert all(Path(file).is_relative_to(home) for file in seen["files"])
    if way != "checkout":
        assert seen["versions"][0] == acgym.__version__


def test_data_is_there(installed, built, tmp_path):
    expected = sorted(f"reference/{path.name}" for path in (built.checkout / "agents/reference").iterdir())
    assert SENTINEL in expected
    assert probe(installed, tmp_path)["data"] == expected


def test_rooms_are_no_top_level_packages(installed, built, tmp_path):
    """A bare checkout on the path cannot hide them; there, importing one is refused."""
    way, python, env = installed
    origins = probe(installed, tmp_path)["origins"]
    for room in ROOMS:
        assert origins[f"acgym.{room}"].endswith(f"{room}{os.sep}__init__.py")
        if way == "checkout":
            refusal = (
                f"import sys\ntry: import {room}\nexcept ImportError as e: sys.exit('Write' not in str(e))\nsys.exit(1)"
            )
            run(python, "-c", refusal, cwd=tmp_path, **env)
        else:
            site = (python.parent.parent, built.checkout)
            assert not any(Path(origins[room] or os.sep).is_relative_to(folder) for folder in site)


@pytest.mark.parametrize("way", ["wheel", "wheel_of_sdist"])
def test_wheel_holds_the_checkout_and_nothing_else(way, built):
    with zipfile.ZipFile(getattr(built, way)) as wheel:
        names = set(wheel.namelist())
    info = f"acgym-{acgym.__version__}.dist-info/"
    assert {name for name in names if not name.startswith(info)} == source_files(built.checkout)
    assert f"{info}licenses/LICENSE" in names


def test_sdist_holds_what_a_build_needs(built):
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", f"agents/{SENTINEL}", "envs/names.py"} <= names


def test_editable_installation_follows_the_checkout(built, tmp_path):
    """Modules and data added after the installation are found, and files that were removed are gone."""
    checkout = copy_checkout(tmp_path / "checkout")
    python = new_environment(tmp_path / "venv")
    (checkout / "envs/removed.py").write_text("", "utf-8")
    install(python, "-e", checkout)
    (checkout / "envs/removed.py").unlink()
    for added in ("acgym/added.py", "envs/added.py", "agents/added.py", "compress/added.py"):
        (checkout / added).write_text("here = True\n", "utf-8")
    (checkout / "agents/reference/added.json").write_text("{}", "utf-8")
    for module in ("acgym.added", "acgym.envs.added", "acgym.agents.added", "acgym.compress.added"):
        run(python, "-c", f"import {module}; assert {module}.here", cwd=tmp_path)
    seen = probe(("editable", python, {}), tmp_path)
    assert "reference/added.json" in seen["data"]
    gone = "import importlib.util; assert importlib.util.find_spec('acgym.envs.removed') is None"
    run(python, "-c", f"import acgym; {gone}", cwd=tmp_path)


@pytest.mark.parametrize("way", ["wheel", "editable"])
def test_type_checker_sees_the_types(way, built, tmp_path):
    python = new_environment(tmp_path / "venv")
    install(python, *([built.wheel] if way == "wheel" else ["-e", built.checkout]))
    (tmp_path / "script.py").write_text(TYPED, "utf-8")
    others = "[mypy-numpy.*,torch.*,transformers.*,scipy.*,gymnasium.*]\nfollow_imports = skip\n"  # a minute of reading
    (tmp_path / "mypy.ini").write_text(f"[mypy]\n{others}", "utf-8")
    command = [sys.executable, "-m", "mypy", "--python-executable", python, "script.py"]
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines()[0].startswith(
        "script.py:7: error: Incompatible types in assignment (expression has"
    )
    assert "Found 1 error" in done.stdout


def test_console_command_helps(installed, tmp_path):
    way, python, env = installed
    by_hand = [python, "-c", "from acgym.cli.app import main; main()"]
    command = by_hand if way == "checkout" else [python.parent / "acgym"]
    said = run(*command, "--help", cwd=tmp_path, **env)
    assert all(word in said for word in ("compare", "envs", "play", "train"))
