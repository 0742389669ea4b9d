"""The manifest of a run, and the other JSON files of its folder, read with suspicion."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from acgym.files import NotRegular, read_regular
from acgym.record.lines import RecordDamaged
from acgym.record.typed import read_typed
from acgym.text import MAX_JSON_DEPTH
from acgym.types import Json, canonical_json

MANIFEST = "manifest.json"

_OPEN: dict[str, Any] = {"extra": "ignore", "strict": True, "allow_inf_nan": False}
"""Runs of other kinds have further settings, and later versions say more."""


@dataclass(frozen=True)
class SettingsRow:
    """What of a run's settings other files read; see :class:`acgym.experiment.settings.Settings`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _OPEN
    agents: list[str] = field(default_factory=list)
    envs: dict[str, dict[str, Json]] = field(default_factory=dict)
    modules: list[str] = field(default_factory=list)
    episodes: int = 0
    seed: int = 0
    calibration: str = ""
    models: dict[str, str | None] = field(default_factory=dict)
    until: float | None = None
    calibration_files: dict[str, str] = field(default_factory=dict)
    episode_seconds: float | None = None
    tool_format: str | None = None
    decoding: dict[str, Json] = field(default_factory=dict)
    shots: int = 0
    malformed_limit: int | None = None


@dataclass(frozen=True)
class SessionRow:
    """One time that a run was played by the same versions."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _OPEN
    time: str
    versions: dict[str, str]


@dataclass(frozen=True)
class ManifestRow:
    """What is in the file."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _OPEN
    created: str
    settings: SettingsRow
    settings_sha256: str
    sessions: list[SessionRow]


class KnownSettings(dict[str, Any]):
    """Settings that say in a sentence which one is not there."""

    def __init__(self, settings: dict[str, Json], file: Path) -> None:
        super().__init__(settings)
        self.file = file

    def __missing__(self, name: str) -> Json:
        """Refuse the run: it is none of the kind that the reader expects."""
        raise RecordDamaged(
            f"{self.file} has no {name!r} among its settings; expected a run that 'acgym compare' or 'acgym play' made"
        )


def digest_of(settings: Json) -> str:
    """Return the SHA-256 by which a manifest tells that its settings are those that it was written with."""
    return hashlib.sha256(canonical_json(settings).encode("utf-8", "surrogatepass")).hexdigest()


def read_manifest(file: Path) -> dict[str, Json]:
    """Read a manifest.

    Returns:
        Its content as :class:`ManifestRow` describes it; the settings are :class:`KnownSettings`.

    Raises:
        RecordDamaged: if it is no regular file, no JSON, has wrong types, or settings that were changed after they
            were written.
    """
    read_object(file, ManifestRow)
    manifest = read_object(file)
    if digest_of(manifest["settings"]) != manifest["settings_sha256"]:
        raise RecordDamaged(
            f"{file}: the settings were changed after they were written (settings_sha256 is another). Restore the "
            "file, or choose another --out to run with other settings"
        )
    if not manifest["sessions"]:
        raise RecordDamaged(f"{file} names no session; expected at least one. Restore the file")
    return {**manifest, "settings": KnownSettings(manifest["settings"], file)}


def read_object(file: Path, kind: Any = dict[str, Any]) -> dict[str, Json]:
    """Read a JSON object from a regular file.

    Args:
        file: its path.
        kind: what it is expected to hold, a dataclass; anything for a dict.

    Raises:
        RecordDamaged: if it is anything else; says what, and where.
    """
    try:
        content = read_regular(file)
        try:
            found: dict[str, Json] = json.loads(content)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if _depth(found) > MAX_JSON_DEPTH:
            raise ValueError("it is nested too deeply")
        legible = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")  # a name may be any text
        read_typed(kind, legible)
        return found
    except NotRegular as error:
        raise RecordDamaged(str(error)) from None
    except ValueError as error:
        what = "is not the manifest of a run" if kind is ManifestRow else "is damaged"
        raise RecordDamaged(f"{file} {what}: {error}. Restore the file") from None


def _depth(value: Json) -> int:
    """Return how deep lists and objects lie in one another."""
    deepest, level = 0, [value]
    while level:
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        deepest += 1
    return deepest
