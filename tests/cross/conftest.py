"""What the cross-checks share: material made once a session, and the environments of the other toolkits."""

from __future__ import annotations

import hashlib
import os
from functools import cache

import pytest

from acgym.data.fetch import get
from tests.cross import environments, material


@pytest.fixture(scope="session")
def given(tmp_path_factory):
    """A folder with calibration.json, prompt.json, a tiny model of each family and the reference agent's."""
    folder = tmp_path_factory.mktemp("given")
    material.save_rows(folder / "calibration.json", material.windows(material.trajectories())[::4])
    material.save_rows(folder / "prompt.json", [ids[:96] for ids, _ in material.held_out(range(2)) if len(ids) >= 96])
    for family in material.FAMILIES:
        material.save_random(folder / f"tiny-{family}", family)
    material.save_reference(folder / "reference")
    return folder


@pytest.fixture(scope="session")
def run(given):
    """Run a program of this folder in an environment on a job; the prompts and the calibration are the session's."""

    def start(environment, script, job):
        prompts = {name: str(given / f"{name}.json") for name in ("calibration", "prompt")}
        # What GPTQModel compiles on its first run takes longer than all its work here, and changes no value.
        return environments.run(environments.python(environment), script, {**prompts, **job}, TORCH_COMPILE_DISABLE="1")

    return start


@pytest.fixture(scope="session")
def written(run, given, tmp_path_factory):
    """Let a toolkit write a checkpoint of a model; the same one is written once."""
    folder = tmp_path_factory.mktemp("written")

    @cache
    def write(environment, method, model, options=()):
        kind = hashlib.sha256(repr(options).encode("utf-8")).hexdigest()[:8]
        out = folder / f"{environment}-{method}-{model}-{kind}"
        job = {"model": str(given / model), "out": str(out), "method": method, "options": dict(options)}
        run(environment, f"in_{environment}.py", job)
        return out

    return write


@pytest.fixture(scope="module")
def published():
    """Return what fetches a data set as its authors publish it; it is kept beside the environments."""
    before = os.environ.get("ACGYM_DATA")
    os.environ["ACGYM_DATA"] = str(environments.cache() / "data")
    yield get
    if before is None:
        del os.environ["ACGYM_DATA"]
    else:
        os.environ["ACGYM_DATA"] = before
