"""What every command says and how: results, sentences, errors and the exit status that goes with them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from acgym.record.run import Run


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show what a user can mend as one sentence, not as a traceback: status 2 for bad input, 1 for a world that fails.

    An interrupt ends with status 130, as shells expect.
    """
    from acgym.loop import EnvBug
    from acgym.record.lines import RecordNotWritten, RunExists

    try:
        yield
    except (ValueError, FileNotFoundError, ImportError, RunExists) as error:
        complain(error)
        raise typer.Exit(2) from None
    except RecordNotWritten as error:
        complain(f"{error.strerror} [{error.filename}]")
        raise typer.Exit(1) from None
    except (OSError, EnvBug) as error:
        complain(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        say("\nStopped. All finished episodes are kept; the same command goes on from here.", Console(stderr=True))
        raise typer.Exit(130) from None


def complain(what: object) -> None:
    """Print one sentence to standard error; messages of other libraries may have several lines."""
    say(f"error: {' '.join(str(what).split())}", Console(stderr=True), style="red")


def say(text: str, console: Console, style: str = "") -> None:
    """Print text as it is: nothing in it is markup, and nothing in it steers the terminal."""
    from acgym.text import printable

    console.print(Text(printable(text), style=style), soft_wrap=True)


def output() -> Console:
    """Return the console for results: as wide as the terminal, or wide enough where there is none."""
    from acgym.report.rich_tables import WIDE

    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def find_modules(names: Iterable[str], imports: Sequence[str] = ()) -> None:
    """Let 'module:NAME' and --import find a module in the current folder, as 'python -m' would; after all others."""
    if (imports or any(":" in name for name in names)) and "" not in sys.path:
        sys.path.append("")


def import_modules(imports: Sequence[str], made: Run | None = None) -> None:
    """Import what --import names; with a run, refuse to go on without a module that registered something of it.

    What a run's own file names is never imported by itself: the file may be anybody's.

    Raises:
        ValueError: if a module cannot be imported, or one that the run was made with is not there.
    """
    from acgym.experiment.environments import import_named

    find_modules((), imports)
    for name in imports:
        import_named(name)
    lacking = [] if made is None else [name for name in made.settings.get("modules", ()) if name not in sys.modules]
    if lacking:
        words = " ".join(f"--import {name}" for name in lacking)
        raise ValueError(f"the run was made with modules of its own; say once more: {words}")
