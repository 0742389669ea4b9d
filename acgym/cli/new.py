"""The command that begins a package of one's own: new."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acgym.cli.terminal import plain_errors, say


def new(
    kind: Annotated[str, typer.Argument(help="env, method or agent.")],
    name: Annotated[str, typer.Argument(help="Name of the package: small letters, digits, '-' and '_'.")],
    folder: Annotated[Path, typer.Option(help="Folder in which the package's own is made.")] = Path(),
) -> None:
    """Begin a package of your own: an environment, a compression method or an agent, with tests that pass at once."""
    with plain_errors():
        from rich.console import Console

        from acgym.scaffold.write import write_package

        written = write_package(kind, name, folder)
        place = folder / name
        say("\n".join(map(str, written)), Console())
        say(f"Next: cd {place} && pip install -e . && python -m pytest", Console())
