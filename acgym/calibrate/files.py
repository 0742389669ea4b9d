"""The files of a calibration, looked over before any model is loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from acgym.calibrate.chats import chat_lines, read_chat
from acgym.calibrate.spec import DEFAULT, Calibration, Source, parse_calibration

CHARACTERS_PER_TOKEN = 32
"""Of a longer text than this for each token that is asked for, only the beginning is looked at."""


def read_calibration(given: str | Path | None) -> Calibration:
    """Return the calibration that a user gave: a spec, a path, or None for the model's own trajectories.

    Raises:
        ValueError: as :func:`acgym.calibrate.spec.parse_calibration`.
    """
    if given is None:
        return DEFAULT
    if isinstance(given, Path):
        return Calibration((Source("text", str(given)),))
    return parse_calibration(given).over(DEFAULT)


def check_files(calibration: Calibration) -> dict[str, str]:
    """Look the files of a calibration over, before any model is loaded.

    Returns:
        Path as written -> SHA-256 of the file.

    Raises:
        FileNotFoundError: if one is not there.
        ValueError: if a text is empty, not UTF-8 or certainly too short, or a line of a file holds no conversation.
    """
    digests = {}
    asked = calibration.asked()
    for source, tokens in zip(calibration.sources, asked, strict=True):
        if source.path is None:
            continue
        if source.kind == "text":
            read_text(source.path, tokens)
            size = Path(source.path).expanduser().stat().st_size
            # No token is shorter than a byte, but for those that begin a text or each window of it.
            if calibration.exact and size + 8 + calibration.shape[0] < tokens:
                raise too_short(calibration, source, f"at most {size:,}", size, tokens)
        else:
            for line in chat_lines(source.path):
                read_chat(line.content, f"line {line.number} of {source.path!r}")
        with Path(source.path).expanduser().open("rb") as stream:
            digests[source.path] = hashlib.file_digest(stream, "sha256").hexdigest()
    return digests


def read_text(path: str | Path, tokens: int | None = None) -> str:
    """Read a calibration text, or as much of it as ``tokens`` can need.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is empty or not UTF-8.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"there is no calibration text at {str(path)!r}")
    try:
        with file.open(encoding="utf-8") as stream:
            text = stream.read(-1 if tokens is None else tokens * CHARACTERS_PER_TOKEN)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"the calibration text {str(path)!r} is not UTF-8: {error.reason} at byte {error.start}"
        ) from None
    if not text.strip():
        raise ValueError(f"the calibration text {str(path)!r} is empty")
    return text


def too_short(calibration: Calibration, source: Source, said: str, have: int, asked: int) -> ValueError:
    """Say that a source has ``have`` of ``asked`` tokens, and a shape for which it should have enough."""
    samples, length = calibration.shape
    others = len(calibration.sources) - 1
    fits = samples * have // asked - others  # shares are whole samples: each may be rounded up
    shape = f"{fits}x{length}" if fits > others else f"{samples}x{max(length * have // asked, 1)}"
    return ValueError(
        f"the calibration {str(calibration)!r} asks for {asked:,} tokens of {source.name}, which has {said} for this "
        f"model. Use a longer source, or ask for less: write ',{shape}' at its end"
    )
