"""The files of a calibration, looked over before any model is loaded."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

from acgym.calibrate.chats import chat_lines, read_chat
from acgym.calibrate.spec import DEFAULT, Calibration, Source, parse_calibration

CHARACTERS_PER_TOKEN = 32
"""Of a longer text than this for each token that is asked for, only the beginning is looked at."""
_BYTES_PER_CHARACTER = 4
"""Most of them in UTF-8; a line that ends as on Windows has two for the one character that is read."""


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


def check_files(*calibrations: Calibration) -> dict[str, str]:
    """Look the files of calibrations over, before any model is loaded.

    Returns:
        Path as written -> SHA-256 of the file; of a text of which only the beginning can be needed, that of its first
        128 bytes for each token that the calibration which needs most asks for, so that a long text costs no more.

    Raises:
        FileNotFoundError: if one is not there.
        ValueError: if a text is empty, not UTF-8 or certainly too short, or a line of a file holds no conversation.
    """
    needed: dict[str, float] = {}
    for calibration in calibrations:
        for source, tokens in zip(calibration.sources, calibration.asked(), strict=True):
            if source.path is not None:
                needed[source.path] = max(needed.get(source.path, 0), _check_file(calibration, source, tokens))
    return {path: _digest(Path(path).expanduser(), most) for path, most in needed.items()}


def _check_file(calibration: Calibration, source: Source, tokens: int) -> float:
    """Look one file over; return how many of its bytes can be needed at most."""
    path = str(source.path)
    if source.kind != "text":
        for line in chat_lines(path):
            read_chat(line.content, f"line {line.number} of {path!r}")
        return math.inf
    read_text(path, tokens)
    size = Path(path).expanduser().stat().st_size
    # No token is shorter than a byte, but for those that begin a text or each window of it.
    if calibration.exact and size + 8 + calibration.shape[0] < tokens:
        raise too_short(calibration, source, f"at most {size:,}", size, tokens)
    return tokens * CHARACTERS_PER_TOKEN * _BYTES_PER_CHARACTER


def _digest(file: Path, most: float) -> str:
    """Return the SHA-256 of the first ``most`` bytes."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while most > 0 and (block := stream.read(int(min(most, 1 << 20)))):
            found.update(block)
            most -= len(block)
    return found.hexdigest()


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
