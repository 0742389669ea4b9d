"""Whose code compresses: acgym's own, or AutoAWQ's for AWQ. What is said of it, and what is refused at once."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from acgym.types import Json

if TYPE_CHECKING:
    from acgym.compress.recipe import Recipe

BACKENDS = ("acgym", "autoawq")


def check_backend(backend: str, recipe: Recipe, format: str, ignore: Sequence[str]) -> None:
    """Refuse what a backend cannot do.

    Raises:
        ValueError: for an unknown backend, or a recipe, format or pattern that it does not take.
        ImportError: if it is not installed; says how to install it.
    """
    if backend not in BACKENDS:
        raise ValueError(f"unknown backend {backend!r}; known: {', '.join(BACKENDS)}")
    if backend == "acgym":
        return
    from acgym.compress.formats.autoawq import check_installed, check_recipe

    if format != "awq":
        raise ValueError(f"AutoAWQ writes the awq format, got {format!r}; add --format awq")
    check_recipe(recipe)
    if ignore:
        raise ValueError(f"AutoAWQ chooses by itself what to leave as it is; drop --ignore {ignore[0]!r}")
    check_installed()


def backend_facts(backend: str) -> dict[str, Json]:
    """Return what a record says of a backend: its name and version."""
    from acgym import __version__

    return {"name": backend, "version": __version__ if backend == "acgym" else version(backend)}
