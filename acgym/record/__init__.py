"""One run on disk: its episodes, their lines, decision tokens, pairing, and replay."""

from acgym.record.lines import RecordDamaged, RecordNotWritten, RunExists, read_episodes
from acgym.record.run import Run, agent_spec, folder_name

__all__ = ["RecordDamaged", "RecordNotWritten", "Run", "RunExists", "agent_spec", "folder_name", "read_episodes"]
