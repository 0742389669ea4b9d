"""The command line: it reads arguments, calls one function for each command, and shows the result."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from acgym.cli.choose import choose
from acgym.cli.compress import compress
from acgym.cli.data import data
from acgym.cli.doctor import doctor
from acgym.cli.episodes import handoff, replay, rescore
from acgym.cli.new import new
from acgym.cli.options import ENV_HELP, Kwargs, json_object
from acgym.cli.plan import plan
from acgym.cli.play import compare, play
from acgym.cli.probe import probe
from acgym.cli.repeat import repeat
from acgym.cli.terminal import find_modules, output, plain_errors, say
from acgym.cli.train import export_chats, train
from acgym.cli.view import export, view
from acgym.plain_warnings import warn_plainly

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from acgym import __version__

        typer.echo(f"acgym {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Measure what a language-model agent loses when it is compressed.

    Start with 'acgym envs', then 'acgym play reference ACB/Needle-v0 --show', then 'acgym compare'.
    """


def envs(
    suite: Annotated[
        str | None, typer.Option(help="Only those of this suite; 'module:NAME' imports the module first.")
    ] = None,
) -> None:
    """List the environments, with what a random policy scores on each level."""
    with plain_errors():
        from acgym.acbench import SUITE
        from acgym.cli.show import show_environments
        from acgym.experiment.environments import suite_environments
        from acgym.suites import environment_ids

        find_modules([suite or ""])
        ids = environment_ids() if suite is None else list(suite_environments(suite))
        show_environments(ids, output(), with_tasks=suite == SUITE)


def check(
    env: Annotated[str, typer.Argument(help=ENV_HELP)],
    seeds: Annotated[int, typer.Option(help="Episodes that are looked at.")] = 20,
    kwargs: Kwargs = "{}",
) -> None:
    """Check that an environment keeps acgym's contract; for environments of your own."""
    with plain_errors():
        from acgym.check import ContractError
        from acgym.check import check as run_check
        from acgym.experiment.environments import known_environment

        find_modules([env])
        arguments = json_object(kwargs)
        env_id, arguments = known_environment(env, arguments)
        try:
            run_check(env_id, seeds=seeds, **arguments)
        except ContractError as error:
            Console(stderr=True).print(Text(str(error), style="red"))
            raise typer.Exit(1) from None
        say(f"{env_id} keeps the contract.", Console())


for _command in (
    compare,
    choose,
    play,
    envs,
    check,
    train,
    compress,
    plan,
    repeat,
    replay,
    rescore,
    handoff,
    probe,
    view,
    export,
    export_chats,
    new,
    doctor,
):
    app.command()(_command)
app.add_typer(data, name="data")


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 shows \\u03c4 for a letter it lacks
            stream.reconfigure(errors="backslashreplace")
    warn_plainly()
    app()


if __name__ == "__main__":
    main()
