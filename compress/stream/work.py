"""The folder that a streamed compression grows in: shards, a journal of what is finished, and one rename at the end."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from acgym.files import write_whole
from acgym.model_files.weights import INDEX

JOURNAL = "unfinished.json"
"""Stands in a folder as long as it is not whole."""
RECORD = "acgym_compression.json"
_LOCK = "unfinished.lock"


@dataclass
class Work:
    """An output folder under way, ``OUT.unfinished``; it becomes OUT by :meth:`finish`.

    Every file is written under another name, synced and renamed, and the journal is written after what it speaks of: a
    kill or a power cut at any moment loses at most the layer that was under way.
    """

    out: Path
    settings: Mapping[str, Any]
    """What decides the result, as JSON: a folder is only continued with the same."""
    done: list[dict[str, Any]] = field(default_factory=list)
    """What is to be known of each finished layer, in the order of the walk."""
    _lock: Any = None

    @property
    def folder(self) -> Path:
        """Where everything is until the end."""
        return self.out.with_name(f"{self.out.name}.unfinished")

    @property
    def digest(self) -> str:
        """SHA-256 of the settings."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()

    def finished(self) -> dict[str, Any] | None:
        """Return the record of a finished folder of these settings; None if OUT does not exist or is empty.

        Raises:
            FileExistsError: if something else is there.
        """
        if not self.out.exists() or (self.out.is_dir() and not any(self.out.iterdir())):
            return None
        try:
            record: dict[str, Any] = json.loads((self.out / RECORD).read_text(encoding="utf-8"))
            same = record.pop("settings_sha256") == self.digest
        except (OSError, ValueError, KeyError, AttributeError):
            same = False
        if not same:
            raise FileExistsError(
                f"{self.out} exists and holds something else than this compression; choose another folder or remove it"
            )
        self._clean(self.out)
        return record

    def open(self) -> None:
        """Make the folder, or go on with one that a run with the same settings left.

        Raises:
            FileExistsError: if the folder belongs to other settings (naming those that differ), is no unfinished
                compression at all, or another process is writing it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        journal = self.folder / JOURNAL
        if not journal.exists():
            odd = [path.name for path in self.folder.iterdir() if path.name != _LOCK and not path.name.endswith(".tmp")]
            if odd:
                raise FileExistsError(f"{self.folder} is in the way: it holds {odd[0]} and no journal; remove it")
            self._write_journal()
            return
        try:
            kept = json.loads(journal.read_text(encoding="utf-8"))
            before, self.done = kept["settings"], kept["done"]
        except (ValueError, KeyError, TypeError) as error:
            raise FileExistsError(f"{journal} is damaged ({error}); remove {self.folder} and start again") from None
        keys = sorted(set(before) | set(self.settings))
        if differ := [key for key in keys if before.get(key) != self.settings.get(key)]:
            raise FileExistsError(
                f"{self.folder} is an unfinished compression with another {' and '.join(differ)}; go on with the same, "
                "choose another output folder, or remove it"
            )

    def close(self) -> None:
        """Let go of the folder; the lock also goes with the process."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def discard(self) -> None:
        """Remove all that was done: it is of no use."""
        shutil.rmtree(self.folder)

    def save(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Write a safetensors file into the folder, durably and in one step.

        Raises:
            OSError: if it cannot be written (a full disk); what was finished before stays.
        """
        path = self.folder / name
        temporary = path.with_name(f"{name}.tmp")
        try:
            contiguous = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
            save_file(contiguous, temporary, metadata={"format": "pt"})
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except (OSError, SafetensorError) as error:
            temporary.unlink(missing_ok=True)
            raise self._not_written(path, error) from error

    def layer_done(self, entry: dict[str, Any]) -> None:
        """Note a layer in the journal; its files are written by now."""
        self.done.append(entry)
        self._write_journal()

    def load(self, name: str) -> dict[str, Tensor]:
        """Read a file that :meth:`save` wrote, onto the CPU."""
        with safe_open(self.folder / name, "pt") as file:
            return {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118 - it is no dictionary

    def write(self, name: str, content: bytes) -> None:
        """Write a small file into the folder."""
        try:
            write_whole(self.folder / name, content)
        except OSError as error:
            raise self._not_written(self.folder / name, error) from error

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file into the folder."""
        self.write(name, (json.dumps(value, indent=2) + "\n").encode())

    def holds(self, name: str) -> bool:
        """Say whether a file is there."""
        return (self.folder / name).is_file()

    def drop(self, *names: str) -> None:
        """Remove files that are no longer needed."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def copy(self, file: Path) -> None:
        """Copy a small file of the source."""
        self.write(file.name, file.read_bytes())

    def finish(self, weight_map: Mapping[str, str], size: int, record: Mapping[str, Any]) -> dict[str, Any]:
        """Write index and record, and give the folder its name.

        Args:
            weight_map: tensor name -> shard.
            size: bytes of all tensors.
            record: what is to be said of the whole, as JSON.

        Returns:
            The record.
        """
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))}
        self.write_json(INDEX, index)
        self.write_json(RECORD, {**record, "settings_sha256": self.digest})
        kept = set(weight_map.values())
        for path in sorted(self.folder.iterdir()):  # other steps' files, and what a kill left half-written
            if path.suffix == ".tmp" or (path.suffix == ".safetensors" and path.name not in kept):
                path.unlink()
        os.replace(self.folder, self.out)
        self._clean(self.out)
        self.close()
        return dict(record)

    def check_room(self, needed: int) -> None:
        """Refuse to begin what the disk has no room for.

        Raises:
            OSError: saying how much is needed and how much there is.
        """
        written = sum(path.stat().st_size for path in self.folder.glob("*.safetensors"))
        free = shutil.disk_usage(self.folder).free
        if needed - written > free:
            raise OSError(
                f"{self.folder} needs {(needed - written) / 1e9:.2f} GB more, and the disk has {free / 1e9:.2f} GB "
                "free; make room or choose another disk"
            )

    def _write_journal(self) -> None:
        self.write_json(JOURNAL, {"settings": self.settings, "done": self.done})

    def _not_written(self, path: Path, error: Exception) -> OSError:
        return OSError(
            f"cannot write {path}: {error}. {len(self.done)} finished layers are kept; make room, and the same command "
            "goes on from there"
        )

    def _take_lock(self) -> None:
        """Take the folder for this process. Windows and some network disks have no locks."""
        if sys.platform == "win32":
            return
        import fcntl

        self._lock = (self.folder / _LOCK).open("wb")
        try:
            fcntl.flock(self._lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileExistsError(f"another process is writing {self.folder}; wait for it") from None
        except OSError:
            return

    @staticmethod
    def _clean(folder: Path) -> None:
        for name in (JOURNAL, _LOCK):
            (folder / name).unlink(missing_ok=True)
