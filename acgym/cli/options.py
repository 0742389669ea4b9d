"""Options that several commands share: what is played by whom and how, and what recipes are calibrated on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

AGENTS_HELP = (
    "reference (the trained agent that ships with acgym), smollm2 (SmolLM2-135M-Instruct with the adapter that ships "
    "with acgym; 'acgym data get smollm2' fetches the base), smollm2@plain (without it), hf:PATH-OR-ID (any causal "
    "language model with a chat template; a path such as ./model may stand alone), gguf:FILE (the last three with "
    "@lora:DIR, an adapter), openai:MODEL@URL (a server; its key in ACGYM_API_KEY), vllm:PATH-OR-ID, oracle, random, "
    "silent, replay:FILE. A model here may be followed by + and a recipe: reference+gptq-w4-g64, hf:./model+wanda-2:4, "
    "reference+wanda-50+rtn-w8, hf:./model+acbench-gptq (a setting of ACBench)."
)
ENV_HELP = (
    "Environment id or short name, such as ACB/Needle-v0 or Needle ('acgym envs' lists them); 'module:ID' imports the "
    "module first."
)
Seed = Annotated[int, typer.Option(help="Chooses the evaluation episodes; the same for all agents.")]
Kwargs = Annotated[str, typer.Option("--kwargs", help="More environment arguments as JSON: '{\"length\": 2000}'.")]
Envs = Annotated[
    list[str] | None, typer.Option("--env", help=f"{ENV_HELP} Repeat for several. Default: those of the suite.")
]
Suite = Annotated[
    str | None,
    typer.Option(
        help="A registered group of environments ('module:NAME' imports the module first). Default: quick, the first "
        "environment of each capability."
    ),
]
Until = Annotated[
    float | None,
    typer.Option(
        help="Play in batches and stop as soon as each difference is known to within this half-width (0.02 is two "
        "points) or is known not to be 0. Looking on the way costs no certainty: intervals and p are anytime-valid."
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        help="Ask of each compressed agent whether it is worse than the first one by this much success (0.02 is two "
        "points): yes, no, or about how many more episodes would tell. It changes no episode: a run can be asked again "
        "with another margin."
    ),
]
Vary = Annotated[
    str | None,
    typer.Option(
        help="Compare along several values of one environment argument: level=1,2,3,4,5 or n_tools=5,10,20,40. Shows "
        "the success of all agents at each value and where they part from the first one. Recipes are calibrated once."
    ),
]
NoiseFloor = Annotated[
    bool, typer.Option(help="Let the first agent play again with another batch size: what chance alone changes.")
]
Level = Annotated[
    int | None, typer.Option(help="Difficulty, 1 to 5. Default: 1 with the reference agent, else the environment's, 3.")
]
Out = Annotated[Path | None, typer.Option(help="Folder of the run. Default: runs/ and a name made from the settings.")]
Add = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a run that the agents join: only they play, the episodes that its others played. With --out, "
        "it is copied there first.",
        metavar="RUN",
    ),
]
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
Shots = Annotated[
    int,
    typer.Option(
        help="Solved tasks of the training split that models see in front of every conversation, 0 to 16: for models "
        "that were never trained on these formats."
    ),
]
MalformedLimit = Annotated[
    int | None,
    typer.Option(
        help="End an episode after so many malformed replies in a row that are all the same; it saves the time of "
        "agents that repeat themselves. Default: no limit."
    ),
]
Calibration = Annotated[
    str | None,
    typer.Option(
        help="What to calibrate on: a text file, chats:FILE.jsonl, trajectories (the model's own training-split "
        "episodes, the default), or a mixture: trajectories*0.7+text:FILE*0.3,128x512 (samples x tokens). A recipe may "
        "have its own, after @: reference+gptq-w3@text:FILE,64x512."
    ),
]
ToolFormat = Annotated[
    str | None,
    typer.Option(
        help="How the models write tool calls: hermes (also Qwen), llama, pythonic, mistral, mistral-args, phi, "
        "granite, internlm, minicpm, deepseek, tool-code, functiongemma or gemma4. Default: each model's own, told "
        "from its chat template and tried before the run."
    ),
]
Import = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        help="Python module to import first, also in worker processes: one that registers compression methods or "
        "environments of your own. Repeat for several.",
    ),
]
Decoding = Annotated[
    str,
    typer.Option(
        help='How all models are decoded, as JSON: \'{"temperature": 0.7, "top_p": 0.9, "seed": 1}\'. Also top_k, stop '
        "(a list of texts), max_new_tokens, thinking_tokens (a budget of its own for <think>), logprobs and "
        "json_schema. Default: greedy."
    ),
]


def json_object(text: str, option: str = "--kwargs", example: str = '{"length": 2000}') -> dict[str, Any]:
    """Read an option that is a JSON object."""
    expected = f"{option} must be a JSON object such as '{example}', got {text!r}"
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{expected}: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(expected)
    return value


def decoding_object(text: str) -> dict[str, Any]:
    """Read the --decoding option."""
    return json_object(text, "--decoding", '{"temperature": 0.7}')
