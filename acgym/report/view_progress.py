"""How far a run in progress is: episodes by agent and environment, read from files that may be growing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from acgym.files import open_regular
from acgym.record.manifest import MANIFEST
from acgym.record.run import EPISODES, Run, folder_name
from acgym.types import Json


@dataclass
class Count:
    """What one agent's file of episodes has been read to hold."""

    offset: int = 0
    """Bytes read so far, whole lines only."""
    episodes: dict[tuple[str, str], bool | None] = field(default_factory=dict)
    """(environment, identity) -> whether it was solved; None for a failed one."""
    damaged: int = 0
    """Lines that could not be read."""

    def read_on(self, file: Path) -> None:
        """Read what was appended; a line that is still being written waits for the next time."""
        if file.is_symlink() or not file.is_file():
            return
        if file.stat().st_size < self.offset:  # mended or started again
            self.offset, self.damaged = 0, 0
            self.episodes.clear()
        with open_regular(file) as lines:
            lines.seek(self.offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            row = json.loads(line)
            solved = bool(row["success"]) if row["outcome"] == "finished" else None
            self.episodes[row["env"], f"{row['split']} {row['seed']} {row['task_hash']}"] = solved
        except (ValueError, KeyError, TypeError, RecursionError):
            self.damaged += 1


class Progress:
    """Follows a run's folder.

    Args:
        folder: of the run.

    Raises:
        FileNotFoundError, acgym.record.run.RecordDamaged: if there is no run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Run.read(folder).settings
        self.agents: list[str] = list(self.settings["agents"])
        total, rows = int(self.settings.get("episodes", 0)), self.settings.get("rows")
        fewer = rows if isinstance(rows, dict) else {}
        self.totals = [min(total, int(fewer.get(env, total))) for env in self.settings["envs"]]
        """Episodes of an agent in each environment, fewer where it has fewer rows."""
        self._counts = {name: Count() for name in self.agents}

    def read(self) -> dict[str, Json]:
        """Return the progress as JSON.

        Returns:
            ``totals`` (episodes of an agent in each environment; at most so many if the run ends by itself),
            ``ends_itself``, ``envs``, ``agents``: rows of ``name``, ``done``, ``solved``, ``failed`` (lists in the
            order of ``envs``), ``damaged`` (lines that could not be read) and ``finished`` (whether all is played).
        """
        envs = list(self.settings["envs"])
        rows = []
        for name, count in self._counts.items():
            count.read_on(self.folder / folder_name(name) / EPISODES)
            by_env: dict[str, list[bool | None]] = {env: [] for env in envs}
            for (env, _), solved in count.episodes.items():
                by_env.setdefault(env, []).append(solved)
            done = [sum(solved is not None for solved in by_env[env]) for env in envs]
            row: dict[str, Json] = {"name": name, "done": done, "damaged": count.damaged}
            row["solved"] = [sum(solved is True for solved in by_env[env]) for env in envs]
            row["failed"] = [sum(solved is None for solved in by_env[env]) for env in envs]
            played = zip(done, row["failed"], self.totals, strict=True)
            rows.append({**row, "finished": all(n + bad >= total for n, bad, total in played)})
        return {"totals": self.totals, "ends_itself": "until" in self.settings, "envs": envs, "agents": rows}

    def stamp(self) -> str:
        """Return a text that changes whenever a file of the run's agents or its comparison does."""
        files = [self.folder / MANIFEST, self.folder / "comparison.json", self.folder / "report.html"]
        for name in self.agents:
            agent = self.folder / folder_name(name)
            files += [agent / EPISODES, agent / "agent.json", agent / "signals.safetensors"]
        seen = []
        for file in files:
            try:
                state = file.stat()
                seen.append(f"{state.st_size}:{state.st_mtime_ns}")
            except OSError:
                seen.append("-")
        return " ".join(seen)
