"""The job of ``acgym compress --stream``: a model larger than memory, from its folder to another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.assemble import AgentSpec, calibration_of, parse_spec
from acgym.calibration_files import check_files, read_calibration
from acgym.calibration_sources import draw
from acgym.calibration_spec import Calibration

if TYPE_CHECKING:
    from acgym.compress import CompressionRecord

Progress = Callable[[int, int, str], None]


def run_stream(
    model: str,
    recipe: str,
    out: Path,
    calibration: str | Path | None = None,
    progress: Progress | None = None,
) -> CompressionRecord:
    """Compress a folder layer by layer into plain weights (:func:`acgym.compress.stream.compress_folder`).

    Args:
        model: ``reference`` or a folder; also with ``hf:`` before it.
        recipe: what stands after ``+`` in an agent spec (:func:`acgym.assemble.parse_spec`).
        out: the output folder: new, empty, or left by the same command.
        calibration: texts or chats, see :func:`acgym.calibration_spec.parse_calibration`. The model's own trajectories
            cannot be had here: to play, a model must be in memory.
        progress: called after each layer.

    Raises:
        ValueError, FileNotFoundError: before any work, for what cannot work.
        FileExistsError, OSError: as :func:`acgym.compress.stream.compress_folder`.
    """
    from acgym.agents.local import REFERENCE
    from acgym.compress.stream import compress_folder

    spec = parse_spec(f"{model if model == 'reference' or model.startswith('hf:') else f'hf:{model}'}+{recipe}")
    folder = REFERENCE if spec.source is None else Path(spec.source).expanduser()
    if not folder.is_dir():
        raise ValueError(f"--stream reads a folder, and {spec.source!r} is none; download the model first")
    chosen = calibration_of(spec, read_calibration(calibration))
    if chosen is not None and not all(source.path for source in chosen.sources):
        raise ValueError(
            f"{spec.recipe} calibrates on {chosen}, and with --stream the model is never whole in memory, so it cannot "
            "play; give --calibration text:FILE or chats:FILE.jsonl"
        )
    tokens = None if chosen is None else _tokens(chosen, folder, spec)
    return compress_folder(folder, str(spec.recipe), tokens, out, progress=progress)


def _tokens(chosen: Calibration, folder: Path, spec: AgentSpec) -> list[list[int]]:
    """Draw the calibration with the model's tokenizer, chat template and window; no weight is read."""
    check_files(chosen)
    from transformers import AutoTokenizer

    from acgym.agents.local import Loaded, LocalAgent
    from acgym.compress.stream_skeleton import skeleton
    from acgym.compress.stream_source import Source

    source = Source(folder)
    auto: Any = AutoTokenizer
    tokenizer = auto.from_pretrained(folder, trust_remote_code=False)
    agent = LocalAgent(Loaded(skeleton(source, source.dtype), tokenizer), spec.base.text)
    return draw(chosen, agent, {}).sequences
