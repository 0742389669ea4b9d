"""Writes all commands and options of the command line into the page that has a place for them, as a site is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

PLACE = "<!-- commands -->"
"""Where they go; the page in the repository says how to see them in a terminal."""


def _plain(text: str | None) -> str:
    """Return a help text as one cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _default(option: Any) -> str:
    """Return what an option is if nothing is said, where that says something."""
    value = option.default
    said = value is not None and not callable(value) and value not in ((), [], "", False)
    return f"Default: `{value}`." if said and "Default" not in (option.help or "") else ""


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the commands under one, with their whole names, in the order of its help."""
    if hasattr(command, "commands"):
        for word, below in command.commands.items():
            yield from _commands(below, f"{name} {word}")
        if not command.invoke_without_command or name == "acgym":
            return
    yield name, command


def commands() -> str:
    """Return Markdown of every command: what it is for, its arguments, its options with their defaults."""
    from acgym.cli.app import app

    lines: list[str] = []
    for name, command in sorted(_commands(typer.main.get_command(app), "acgym"), key=lambda each: each[0]):
        lines += [f"## {name}", "", *(line.strip() for line in (command.help or "").splitlines()), ""]
        lines += ["| option | |", "| --- | --- |"]
        for parameter in command.params:
            if parameter.name == "help":
                continue
            shown = ", ".join(f"`{word}`" for word in [*parameter.opts, *parameter.secondary_opts] if word != "-h")
            if parameter.param_type_name == "argument":
                shown = f"*{parameter.name.upper()}*"
            said = _plain(f"{getattr(parameter, 'help', '')} {_default(parameter)}")
            lines.append(f"| {shown} | {said} |")
        lines.append("")
    return "\n".join(lines)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for each page."""
    return markdown.replace(PLACE, commands()) if PLACE in markdown else markdown
