"""Options of the commands that play: on which level, into which folder, by how many processes, for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Level = Annotated[
    int | None, typer.Option(help="Difficulty, 1 to 5. Default: 1 with the reference agent, else the environment's, 3.")
]
Out = Annotated[Path | None, typer.Option(help="Folder of the run. Default: runs/ and a name made from the settings.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes that play, each with a model of its own. They share the episodes of one agent, or take an "
        "agent each; the results are the same. Default of compare: one a core if all models are small, else one.",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        help="Let the --workers play as actors on a Ray cluster: its address (auto, HOST:6379, ray://HOST:10001), or "
        "local to start one here. All nodes need the folders of the run and of the models under the same path. Needs "
        "pip install 'acgym\\[ray]'."
    ),
]
EpisodeSeconds = Annotated[
    float | None,
    typer.Option(
        help="Seconds that one episode may take. One that takes longer is stopped and counted as failed, never "
        "scored. Default: no limit."
    ),
]
