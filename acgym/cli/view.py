"""The commands that show a finished or running comparison elsewhere: view, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acgym.cli.options import Import
from acgym.cli.terminal import import_modules, output, plain_errors, say
from acgym.export.forms import FORMS

RunFolder = Annotated[Path, typer.Argument(help="Folder of a run, as 'acgym compare' made it.")]


def view(
    run: RunFolder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on; 0 for any that is free.")] = 8471,
) -> None:
    """Show a run's report in the browser, and follow a run that is still playing.

    Only this machine can open the address, and nothing is ever changed. Ctrl-C ends it.
    """
    with plain_errors():
        from rich.console import Console

        from acgym.report.view import HOST, serve

        try:
            server = serve(run, port)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ValueError(f"port {port} cannot be used ({error.strerror}); --port 0 takes any free one") from None
        say(f"{run} is at http://{HOST}:{server.server_address[1]}/ (Ctrl-C ends)", Console())
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            server.server_close()


def export(
    run: RunFolder,
    to: Annotated[str, typer.Option(help="; ".join(f"{name} ({form.what})" for name, form in FORMS.items()) + ".")],
    out: Annotated[Path | None, typer.Option(help="Folder to write into. Default: export-FORMAT in the run.")] = None,
    agent: Annotated[list[str] | None, typer.Option(help="Only this agent. Repeat for several.")] = None,
    imports: Import = None,
) -> None:
    """Write a run's results in the form that another tool reads."""
    with plain_errors():
        from acgym.export.run import export_run

        import_modules(imports or [])
        folder = out or run / f"export-{to}"
        for file in export_run(run, to, folder, agent or []):
            say(str(file), output())
