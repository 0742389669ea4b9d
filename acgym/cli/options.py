"""Options that several commands share: what recipes are calibrated on, how replies are decoded and tools called."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

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


def find_modules(named: bool) -> None:
    """Let a module that a user named be found in the current folder, as 'python -m' would; after all others."""
    if named and "" not in sys.path:
        sys.path.append("")


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
