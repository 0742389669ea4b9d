"""A run on disk: a manifest that re-runs it, and one append-only file of finished episodes per agent."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from urllib.parse import quote, unquote

from acgym.machine import machine
from acgym.record.episode import Episode
from acgym.record.lines import EpisodeLog, RunExists, read_episodes
from acgym.record.manifest import MANIFEST, digest_of, read_manifest, read_object
from acgym.types import Json, Split, canonical_json

EPISODES = "episodes.jsonl"
SIGNALS = "signals.safetensors"
"""In an agent's folder: what its model showed at every token (:mod:`acgym.probe`)."""
MAX_FOLDER_BYTES = 200


def folder_name(agent: str) -> str:
    """Turn an agent spec into one safe folder name: letters, digits and ``_-~.`` stay, all else becomes ``%XX``.

    Raises:
        ValueError: if the spec is empty, or its folder name is longer than 200 bytes.
    """
    name = quote(agent, safe="", errors="surrogatepass")
    if name.startswith("."):  # neither "." nor ".." nor a hidden folder
        name = "%2E" + name[1:]
    if not name or len(name) > MAX_FOLDER_BYTES:
        raise ValueError(
            f"an agent spec must make a folder name of 1 to {MAX_FOLDER_BYTES} bytes, "
            f"got {len(name)} from {agent[:60]!r}; use a shorter path, for example a link"
        )
    return name


def agent_spec(folder: str) -> str:
    """Return the agent spec that ``folder_name`` made ``folder`` from."""
    return unquote(folder, errors="surrogatepass")


class Run:
    """One run's folder. Open it with :meth:`open` to write, with :meth:`read` to look at it.

    Attributes:
        path: the folder.
        settings: the settings that re-run it, as JSON.
    """

    def __init__(self, path: Path, settings: Mapping[str, Json]) -> None:
        self.path = path
        self.settings = settings
        self._logs: dict[str, EpisodeLog] = {}

    @classmethod
    def open(cls, path: str | Path, settings: Mapping[str, Json]) -> Run:
        """Start a run in a new folder, or resume one that was started with the same settings.

        Raises:
            RunExists: if the folder holds a run with other settings (the message names the first that differ), or
                holds files and no run.
            TypeError, ValueError: if the settings are not JSON.
        """
        path = Path(path)
        settings = json.loads(json.dumps(settings, allow_nan=False))
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path, settings)
        now: dict[str, Json] = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "versions": _versions()}
        now["machine"] = machine()
        if not os.path.lexists(path / MANIFEST):
            if any(not entry.name.endswith(".tmp") for entry in path.iterdir()):
                raise RunExists(f"{path} holds files but no run ({MANIFEST}); choose another --out")
            hashed = {"settings": settings, "settings_sha256": digest_of(settings)}
            run.write_json(MANIFEST, {"created": now["time"], **hashed, "sessions": [now]})
            return run
        manifest = cls._manifest(path)
        differences = _differences(manifest["settings"], settings)
        if differences:
            raise RunExists(
                f"{path} holds a run with other settings: {'; '.join(differences[:3])}"
                f"{'; ...' if differences[3:] else ''}. Choose another --out, "
                "or use the same settings to resume it, or delete the folder to start again"
            )
        if any(manifest["sessions"][-1].get(key) != now[key] for key in ("versions", "machine")):
            run.write_json(MANIFEST, {**manifest, "sessions": [*manifest["sessions"], now]})
        return run

    @classmethod
    def read(cls, path: str | Path) -> Run:
        """Open an existing run with the settings it was made with.

        Raises:
            FileNotFoundError: if there is no run in the folder.
            RecordDamaged: if its manifest cannot be read.
        """
        return cls(Path(path), cls._manifest(Path(path))["settings"])

    @classmethod
    def widen(cls, path: str | Path, settings: Mapping[str, Json]) -> None:
        """Let a run go on with further agents: put its settings with these into its manifest.

        Args:
            path: the run's folder.
            settings: those of the run, with more agents behind its own and what belongs to them (modules, models,
                calibration files).

        Raises:
            ValueError: if anything else of the settings differs.
        """
        path, manifest = Path(path), cls._manifest(Path(path))
        before = dict(manifest["settings"])
        settings = json.loads(json.dumps(settings, allow_nan=False))
        differences = _differences(_shared(before, settings), _shared(settings, before))
        if settings["agents"][: len(before["agents"])] != before["agents"]:
            differences.append(f"it begins with the agents {', '.join(before['agents'])}")
        if differences:
            raise ValueError(f"{path} can be given further agents and nothing else: {'; '.join(differences)}")
        run = cls(path, settings)
        run.write_json(MANIFEST, {**manifest, "settings": settings, "settings_sha256": digest_of(settings)})

    @staticmethod
    def _manifest(path: Path) -> dict[str, Json]:
        if not os.path.lexists(path / MANIFEST):
            raise FileNotFoundError(f"{path} holds no run: there is no {MANIFEST} in it")
        return read_manifest(path / MANIFEST)

    def agents(self) -> list[str]:
        """Return the specs of the agents that have a file of episodes, sorted."""
        return sorted(agent_spec(file.parent.name) for file in self.path.glob(f"*/{EPISODES}"))

    def folder(self, agent: str) -> Path:
        """Return the folder of an agent (it may not exist yet)."""
        return self.path / folder_name(agent)

    def episodes(self, agent: str) -> list[Episode]:
        """Read the agent's episodes (see :func:`read_episodes`); none if it has not played."""
        file = self.folder(agent) / EPISODES
        return read_episodes(file) if os.path.lexists(file) else []

    def seeds_left(
        self, agent: str, env: str, kwargs: Mapping[str, Json], split: Split, seeds: Iterable[int]
    ) -> list[int]:
        """Return the seeds without a finished episode, in their order; failed episodes are to be played again."""
        played = {
            episode.seed
            for episode in self.episodes(agent)
            if episode.outcome == "finished"
            and (episode.env, episode.split) == (env, split)
            and canonical_json(episode.kwargs) == canonical_json(kwargs)
        }
        return [seed for seed in seeds if seed not in played]

    def append(self, agent: str, episode: Episode) -> None:
        """Write one episode; when this returns, it outlives this process (and soon the machine: see EpisodeLog).

        Raises:
            ValueError: if a finished episode with the same key is there already.
            RunExists: if another process is writing this agent's episodes.
            RecordNotWritten: if the disk is full or gone; all episodes before this one stay readable.
        """
        if agent not in self._logs:
            self._logs[agent] = EpisodeLog(self.folder(agent) / EPISODES)
        self._logs[agent].append(episode)

    def read_json(self, name: str, agent: str | None = None) -> Json:
        """Read what :meth:`write_json` wrote, an object; None if it was never written.

        Raises:
            RecordDamaged: if the file holds anything else.
        """
        file = (self.path if agent is None else self.folder(agent)) / name
        return read_object(file) if os.path.lexists(file) else None

    def write_json(self, name: str, value: Json, agent: str | None = None) -> None:
        """Write ``value`` to the file ``name`` in the run's folder: readers see the old content or the new, whole.

        Args:
            name: a plain file name.
            value: JSON.
            agent: write into this agent's folder instead.

        Raises:
            ValueError: if ``name`` is not a plain file name, or ``value`` holds NaN or Infinity.
        """
        if Path(name).name != name:
            raise ValueError(f"expected a plain file name, got {name!r}")
        text = json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
        folder = self.path if agent is None else self.folder(agent)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{name}.{os.getpid()}.tmp"
        try:
            temporary.unlink(missing_ok=True)
            with temporary.open("x", encoding="utf-8") as file:  # a link that lies there is not written through
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, folder / name)
        finally:
            temporary.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files, so that another process may write."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()

    def __enter__(self) -> Run:
        """Return the run."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let go of the files."""
        self.close()


def _versions() -> dict[str, str]:
    """Versions of what can change a result; torch only if it is in use."""
    found = {"python": platform.python_version()}
    for name in ("acgym", "gymnasium", "numpy", "transformers", "torch"):
        if name == "torch" and "torch" not in sys.modules:
            continue
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


GROWING = ("agents", "modules", "models", "calibration_files")
"""Settings that become more when agents are added."""


def _shared(settings: Mapping[str, Json], other: Mapping[str, Json]) -> dict[str, Json]:
    """Return settings without what only one of two runs with different agents has."""
    kept = {name: value for name, value in settings.items() if name not in GROWING}
    for name in ("models", "calibration_files"):
        both = other.get(name, {})
        kept[name] = {key: value for key, value in settings.get(name, {}).items() if key in both}
    return kept


def _differences(old: Json, new: Json, where: str = "") -> list[str]:
    """Say where two settings differ, key by key."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        absent = object()
        rows = [(key, old.get(key, absent), new.get(key, absent)) for key in keys]
        return [
            line
            for key, a, b in rows
            for line in (
                [f"{where}{key} is {'set' if b is absent else 'not set'} there"]
                if absent in (a, b)
                else _differences(a, b, f"{where}{key}.")
            )
        ]
    if canonical_json(old) == canonical_json(new):
        return []
    return [f"{where[:-1]} is {canonical_json(old)[:60]} there and {canonical_json(new)[:60]} now"]
