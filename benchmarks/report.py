"""Seconds to write the report of 10,000 episodes, its size, and seconds until Chromium shows it.

    python benchmarks/report.py [EPISODES] [--noisy]

A dense agent and a compressed one play half of the episodes each, in the four environments. They are the oracle and an
oracle that says something else every few turns (``--noisy``: the random policy, whose episodes are long and hardly
alike: the most that there can be to show). Needs Chromium (or its path in ACGYM_BROWSER), playwright and matplotlib.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import acgym  # noqa: F401  (registers the environments)
from acgym.agents.base import Agent
from acgym.agents.scripted import Oracle, Random
from acgym.analysis.comparison import assemble_result
from acgym.loop import play
from acgym.record.run import Run
from acgym.report.page import write_report
from acgym.suites import QUICK, suite_named
from acgym.tool_calls import read_calls
from acgym.types import Message, Reply, ToolSpec

EPISODES = 10_000
REPEATS = 3
SLIP = 13
"""One reply in so many is another one."""


class Slipping(Agent):
    """The oracle, but for some replies."""

    name = "slipping"

    def __init__(self, expert: Agent | None = None) -> None:
        self.expert = expert

    def for_episode(self, env: Any) -> Agent:
        """Bind the oracle to ``env``."""
        return Slipping(Oracle().for_episode(env))

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Reply:
        """Say what the oracle would, or something else."""
        assert self.expert is not None
        said = await self.expert.reply(messages, tools)
        if sum(map(len, (message.content for message in messages))) % SLIP:
            return said
        words = said.text[: len(said.text) // 2] + " and so on"
        return Reply(words, words, read_calls(words))


def make_run(folder: Path, per_agent: int, other: Agent) -> Run:
    """Play and write a run."""
    agents: dict[str, Agent] = {"oracle": Oracle(), other.name: other}
    envs = {env: {"level": 1} for env in suite_named(QUICK)}
    settings = {"agents": list(agents), "envs": envs, "episodes": per_agent // len(envs)}
    run = Run.open(folder, settings)
    for name, agent in agents.items():
        file = run.folder(name) / "episodes.jsonl"
        file.parent.mkdir()
        with file.open("w") as lines:
            for env, kwargs in envs.items():
                for episode in play(agent, env, range(settings["episodes"]), kwargs=kwargs):
                    lines.write(episode.to_line() + "\n")
    return run


def written(run: Run, page: Path) -> str:
    """Write the report some times, and say how long that took."""
    result = assemble_result(run)
    walls, cpus = [], []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        write_report(result, page, Run.read(run.path))
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    size = page.stat().st_size / 1e3
    return f"written in {min(walls):.2f} s (CPU {min(cpus):.2f} s; best of {REPEATS}), {size:.0f} kB"


def opened(page: Path) -> str:
    """Open the page in Chromium some times, and say how long it took until its episodes could be searched."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("ACGYM_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    times = []
    with sync_playwright() as session:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = session.chromium.launch(executable_path=found, args=sandbox)
        for _ in range(REPEATS):
            tab = browser.new_page()
            started = time.perf_counter()
            tab.goto(page.as_uri())
            tab.wait_for_selector("html[data-ready]", state="attached")
            times.append(time.perf_counter() - started)
            told = tab.locator("#told").inner_text().split(":")[0]
            tab.close()
        browser.close()
    return f"opened in {min(times):.2f} s (best of {REPEATS}); {told}"


def main() -> None:
    """Make a run, write its report, open it."""
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    episodes = numbers[0] if numbers else EPISODES
    other = Random() if "--noisy" in sys.argv else Slipping()
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder) / "run", episodes // 2, other)
        page = Path(folder) / "report.html"
        print(f"{episodes:,} episodes, oracle against {other.name}")
        print(written(run, page))
        print(opened(page))


if __name__ == "__main__":
    main()
