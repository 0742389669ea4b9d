"""The command line: it reads arguments, calls one function for each command, and shows the result."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from acgym.cli.compress import compress
from acgym.cli.episodes import handoff, replay, rescore
from acgym.cli.options import Calibration, Decoding, Import, ToolFormat, decoding_object, find_modules, json_object
from acgym.cli.plan import NoiseFloor, Until, plan
from acgym.cli.probe import probe
from acgym.cli.repeat import repeat
from acgym.cli.view import export, view
from acgym.cli.workers import EpisodeSeconds, Level, Out, Ray, Workers
from acgym.plain_warnings import warn_plainly

if TYPE_CHECKING:
    from acgym.compare.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AGENTS_HELP = (
    "reference (the trained agent that ships with acgym), hf:PATH-OR-ID (any causal language model with a chat "
    "template), openai:MODEL@URL (a server; its key in ACGYM_API_KEY), vllm:PATH-OR-ID, oracle, random, silent, "
    "replay:FILE. A model here may be followed by + and a recipe: reference+gptq-w4-g64, hf:./model+wanda-2:4, "
    "reference+wanda-50+rtn-w8, hf:./model+acbench-gptq (a setting of ACBench)."
)
ENV_HELP = "Environment id, such as ACB/Needle-v0 ('acgym envs' lists them); 'module:ID' imports the module first."
Seed = Annotated[int, typer.Option(help="Chooses the evaluation episodes; the same for all agents.")]
Kwargs = Annotated[str, typer.Option("--kwargs", help="More environment arguments as JSON: '{\"length\": 2000}'.")]


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


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Show what a user can mend as one sentence, not as a traceback: status 2 for bad input, 1 for a world that fails.

    An interrupt ends with status 130, as shells expect.
    """
    from acgym.loop import EnvBug
    from acgym.record.lines import RecordNotWritten, RunExists

    try:
        yield
    except (ValueError, FileNotFoundError, ImportError, RunExists) as error:
        _complain(error)
        raise typer.Exit(2) from None
    except RecordNotWritten as error:
        _complain(f"{error.strerror} [{error.filename}]")
        raise typer.Exit(1) from None
    except (OSError, EnvBug) as error:
        _complain(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        _say("\nStopped. All finished episodes are kept; the same command goes on from here.", Console(stderr=True))
        raise typer.Exit(130) from None


def _complain(what: object) -> None:
    """Print one sentence to standard error; messages of other libraries may have several lines."""
    _say(f"error: {' '.join(str(what).split())}", Console(stderr=True), style="red")


def _say(text: str, console: Console, style: str = "") -> None:
    """Print text as it is: nothing in it is markup, and nothing in it steers the terminal."""
    from acgym.text import printable

    console.print(Text(printable(text), style=style), soft_wrap=True)


def _output() -> Console:
    """Return the console for results: as wide as the terminal, or wide enough where there is none."""
    from acgym.cli.show import WIDE

    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


@app.command()
def compare(
    agents: Annotated[
        list[str] | None, typer.Argument(help=f"The dense agent first, then the others: {AGENTS_HELP}")
    ] = None,
    env: Annotated[list[str] | None, typer.Option(help=f"{ENV_HELP} Repeat for several. Default: all four.")] = None,
    episodes: Annotated[
        int | None, typer.Option(help="Episodes per environment and agent. Default: 100; with --until, at most 5,000.")
    ] = None,
    until: Until = None,
    noise_floor: NoiseFloor = False,
    workers: Workers = None,
    ray: Ray = None,
    episode_seconds: EpisodeSeconds = None,
    seed: Seed = 0,
    level: Level = None,
    kwargs: Kwargs = "{}",
    calibration: Calibration = None,
    tool_format: ToolFormat = None,
    decoding: Decoding = "{}",
    imports: Import = None,
    out: Out = None,
) -> None:
    """Play the same episodes with a dense agent and with compressed ones, and show what was lost.

    Without arguments: the reference agent against eight compressed forms of it, on four environments. Run again, the
    same command goes on where it stopped.
    """
    with _plain_errors():
        from acgym.compare.settings import prepare

        find_modules(bool(imports) or any(":" in name for name in env or []))
        settings = prepare(
            agents or [],
            env or [],
            episodes=episodes,
            seed=seed,
            level=level,
            kwargs=json_object(kwargs),
            calibration=calibration,
            tool_format=tool_format,
            decoding=decoding_object(decoding),
            imports=imports or [],
            until=until,
            noise_floor=noise_floor,
            episode_seconds=episode_seconds,
        )
        _run(settings, out, workers=workers, ray=ray)


@app.command()
def play(
    agent: Annotated[str, typer.Argument(help=AGENTS_HELP)],
    env: Annotated[str, typer.Argument(help=ENV_HELP)],
    episodes: Annotated[int, typer.Option(help="Number of episodes.")] = 10,
    workers: Workers = 1,
    ray: Ray = None,
    episode_seconds: EpisodeSeconds = None,
    seed: Seed = 0,
    level: Level = None,
    kwargs: Kwargs = "{}",
    calibration: Calibration = None,
    tool_format: ToolFormat = None,
    decoding: Decoding = "{}",
    imports: Import = None,
    out: Out = None,
    show: Annotated[bool, typer.Option(help="Print every message.")] = False,
) -> None:
    """Let one agent play one environment and show its score."""
    with _plain_errors():
        from acgym.compare.settings import prepare

        find_modules(bool(imports) or ":" in env)
        settings = prepare(
            [agent],
            [env],
            episodes=episodes,
            seed=seed,
            level=level,
            kwargs=json_object(kwargs),
            calibration=calibration,
            tool_format=tool_format,
            decoding=decoding_object(decoding),
            imports=imports or [],
            episode_seconds=episode_seconds,
        )
        _run(settings, out, show, workers, ray)


def _run(
    settings: Settings, out: Path | None, show: bool = False, workers: int | None = 1, ray: str | None = None
) -> None:
    """Run a comparison under the eyes of the user, then show and write its tables."""
    from acgym.cli.progress import watching
    from acgym.cli.show import show_comparison, show_conversation
    from acgym.compare.run import default_workers, run_comparison
    from acgym.record.run import Run
    from acgym.report.page import write_report

    folder = out or settings.default_folder
    with watching(settings.episodes * len(settings.envs) * len(settings.agents)) as listener:
        count = workers or default_workers(settings)
        result = run_comparison(settings, folder, listener=listener, workers=count, ray=ray)
    write_report(result, folder / "report.html", Run.read(folder))
    console = _output()
    if show:
        for episode in Run.read(folder).episodes(settings.agents[0]):
            show_conversation(episode, console)
    show_comparison(result, console)
    _say(f"\nThe run is in {folder} (report.html shows these tables, figures and the episodes).", console)


@app.command()
def envs() -> None:
    """List the environments, with what a random policy scores on each level."""
    from acgym.cli.show import show_environments

    show_environments(_output())


@app.command()
def check(
    env: Annotated[str, typer.Argument(help=ENV_HELP)],
    seeds: Annotated[int, typer.Option(help="Episodes that are looked at.")] = 20,
    kwargs: Kwargs = "{}",
) -> None:
    """Check that an environment keeps acgym's contract; for environments of your own."""
    with _plain_errors():
        from acgym.check import ContractError
        from acgym.check import check as run_check
        from acgym.compare.settings import known_environment

        find_modules(":" in env)
        arguments = json_object(kwargs)
        env_id, arguments = known_environment(env, arguments)
        try:
            run_check(env_id, seeds=seeds, **arguments)
        except ContractError as error:
            Console(stderr=True).print(Text(str(error), style="red"))
            raise typer.Exit(1) from None
        _say(f"{env_id} keeps the contract.", Console())


@app.command()
def train(
    out: Annotated[Path, typer.Argument(help="Folder for checkpoints and the finished agent.")],
    steps: Annotated[
        int | None, typer.Option(help="Optimiser steps before key-value heads are merged. Default: the recipe's.")
    ] = None,
    stop_at: Annotated[int | None, typer.Option(help="Stop at this step; the same command goes on later.")] = None,
) -> None:
    """Train the reference agent from nothing: behaviour cloning on the oracle's training-split conversations.

    Goes on from the last checkpoint in OUT. When all steps are done, OUT/agent holds the finished agent, which plays as
    hf:OUT/agent.
    """
    with _plain_errors():
        from dataclasses import replace

        from acgym.train.reference import train_reference
        from acgym.train.trainer import TrainingRecipe

        recipe = TrainingRecipe() if steps is None else replace(TrainingRecipe(), steps=steps)
        finished = train_reference(recipe, out, report=typer.echo, stop_at=stop_at)
        if finished is not None:
            finished.export(out / "agent")
            typer.echo(f"The finished agent is in {out / 'agent'}.")


for _command in (compress, plan, repeat, replay, rescore, handoff, probe, view, export):
    app.command()(_command)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 shows \\u03c4 for a letter it lacks
            stream.reconfigure(errors="backslashreplace")
    warn_plainly()
    app()


if __name__ == "__main__":
    main()
