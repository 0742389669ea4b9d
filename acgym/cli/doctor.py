"""The command doctor: each thing that acgym can use, whether it is here, and how to get it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import NamedTuple

from acgym.cli.terminal import output, plain_errors
from acgym.machine import machine
from acgym.plugins import GROUPS, load_plugins


class Finding(NamedTuple):
    """One line of the report."""

    works: bool
    what: str
    said: str
    """Its version or place; else the command that mends it."""


PACKAGES = {
    "pandas": ("pandas", "data frames of a comparison", "pip install 'acgym[pandas]'"),
    "pyarrow": ("pyarrow", "exports to Parquet", "pip install 'acgym[parquet]'"),
    "ray": ("ray", "episodes on a cluster (--ray)", "pip install 'acgym[ray]'"),
    "vllm": ("vllm", "models played by vLLM, on GPUs (vllm:PATH)", "pip install 'acgym[vllm]'"),
    "llguidance": ("llguidance", "replies kept to a JSON schema", "pip install 'acgym[constrained]'"),
    "autoawq": (
        "awq",
        "AutoAWQ as a backend of acgym compress",
        "pip install 'acgym[autoawq]', in an environment apart",
    ),
    "bitsandbytes": ("bitsandbytes", "checkpoints made by bitsandbytes", "pip install 'acgym[bitsandbytes]'"),
}
"""Package -> module, what it is for, how to get it. Nothing of them is imported."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def findings() -> list[Finding]:
    """Look at this machine; nothing is downloaded, and of the optional packages nothing is imported."""
    return [*_core(), *_packages(), *_data(), *_plugins()]


def _core() -> Iterator[Finding]:
    """Python, torch and its GPU, transformers, Java and a browser."""
    import torch

    here = machine()
    yield Finding(True, "Python", f"{platform.python_version()} on {here['cpu']}, {here['cores']} cores")
    yield Finding(
        True, "torch", f"{here['torch']}, {here['instruction_set']}, {here['threads']} threads, BLAS {here['blas']}"
    )
    if torch.cuda.is_available():
        names = (torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
        yield Finding(True, "GPU", ", ".join(names))
    else:
        yield Finding(
            False, "GPU", "torch sees none: models play on the processor, those of some billion weights slowly"
        )
    yield Finding(True, "transformers", version("transformers"))
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    wanted = "none found: the report opens in any browser; only the tests of its looks need Chromium"
    yield Finding(browser is not None, "Chromium", browser or wanted)
    java = shutil.which("java")
    yield Finding(java is not None, "Java", java or "none found; only simulators that run on it need it")


def _packages() -> Iterator[Finding]:
    """Optional packages: found by their metadata."""
    for package, (module, purpose, command) in PACKAGES.items():
        here = _version(package) if find_spec(module) else None
        yield Finding(here is not None, package, f"{here}: {purpose}" if here else f"{purpose}: {command}")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _data() -> Iterator[Finding]:
    """Data sets that environments play: here, or how to get them."""
    from acgym.data.cache import folder_of
    from acgym.data.table import DATA_SETS

    for row in DATA_SETS.values():
        try:
            place = folder_of(row.name)
        except FileNotFoundError as error:
            yield Finding(False, f"data {row.name}", str(error))
            continue
        get = f"acgym data get {row.name}" if row.wheel else f"acgym data use {row.name} FOLDER"
        yield Finding(place is not None, f"data {row.name}", str(place or get))


def _plugins() -> Iterator[Finding]:
    """Plugins of all groups: loaded, or why not."""
    for group in GROUPS:
        for plugin in load_plugins(group):
            said = f"{plugin.module}, {plugin.package}, {group}"
            yield Finding(plugin.fault is None, f"plugin {plugin.name}", said if plugin.fault is None else plugin.fault)


def doctor() -> None:
    """Say what works on this machine and how to get what does not: torch, GPU, extras, browser, data, plugins."""
    with plain_errors():
        from rich.table import Table
        from rich.text import Text

        from acgym.text import printable

        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column()
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for found in findings():
            mark = Text("yes", "green") if found.works else Text("no", "yellow")
            table.add_row(mark, Text(printable(found.what)), Text(printable(found.said)))
        output().print(table)
