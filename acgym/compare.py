"""The main job: the same episodes played by a dense and by compressed agents, probed, scored and compared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from acgym.assemble import MODELS, AgentSpec, parse_spec, read_text
from acgym.compare_models import Models
from acgym.compare_settings import TRAJECTORIES_LABEL, Settings, prepare, text_digest
from acgym.comparison import assemble_result
from acgym.listener import Listener
from acgym.record import Run
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent
    from acgym.compare_probe import Tokens, Yardstick
    from acgym.episode import Episode

__all__ = ["Listener", "Settings", "prepare", "run_comparison"]

SHEET = "agent.json"


def run_comparison(
    settings: Settings, folder: Path, *, calibration: str | Path | None = None, listener: Listener | None = None
) -> dict[str, Json]:
    """Play, probe, score and compare; return what ``comparison.json`` in ``folder`` then holds.

    A run that was interrupted goes on where it stopped: finished episodes are never played again, failed ones are.

    Args:
        settings: from :func:`prepare`.
        folder: the run's folder, new or of the same settings. It then holds ``manifest.json``, for each agent
            ``episodes.jsonl``, ``agent.json`` (:meth:`_Job.play`) and ``signals.safetensors``
            (:func:`acgym.compare_probe.write_signals`), and ``comparison.json``
            (:func:`acgym.comparison.assemble_result`).
        calibration: path of the text that ``settings.calibration`` is the hash of; None for trajectories.
        listener: hears of progress.

    Raises:
        RunExists: if the folder holds a run with other settings.
        RecordNotWritten, OSError: if the disk is full; all finished episodes stay readable.
        ValueError: if a recipe does not fit its model, or the calibration text is not the one that was prepared.
        EnvBug: if an environment breaks its contract.
    """
    text = None if calibration is None else read_text(calibration)
    if (TRAJECTORIES_LABEL if text is None else text_digest(text)) != settings.calibration:
        raise ValueError("the calibration text is not the one that the settings were prepared with; prepare them anew")
    with Run.open(folder, settings.to_dict()) as run:
        job = _Job(settings, run, Models(settings.envs, text, listener or Listener()))
        for name in settings.agents:
            job.do(parse_spec(name))
        result = assemble_result(run)
        run.write_json("comparison.json", result)
    return result


@dataclass
class _Job:
    """A comparison under way: which agent still has something to do, and what the others are measured against."""

    settings: Settings
    run: Run
    models: Models
    first: AgentSpec = field(init=False)
    _tokens: Tokens | None = None
    _yardstick: Yardstick | str | None = None

    def __post_init__(self) -> None:
        self.first = parse_spec(self.settings.agents[0])

    def do(self, spec: AgentSpec) -> None:
        """Play what is left of an agent's episodes and probe its model; do nothing if all is on the disk."""
        left = {
            env: self.run.seeds_left(spec.text, env, kwargs, "eval", self.settings.seeds)
            for env, kwargs in self.settings.envs.items()
        }
        sheet: dict[str, Json] = self.run.read_json(SHEET, spec.text) or {}
        for env, seeds in left.items():
            self.tell(spec, env, self.settings.episodes - len(seeds))
        if not any(left.values()) and self._probed(sheet):
            return
        if self._to_probe(spec) and spec.text != self.first.text:
            self.yardstick()  # before this agent is made: the first one's model may have to be loaded for it
        agent, facts = self.models.make(spec)
        sheet |= facts
        self.play(spec, agent, left, sheet)
        self.probe(spec, agent, sheet)

    def play(self, spec: AgentSpec, agent: Agent, left: dict[str, list[int]], sheet: dict[str, Json]) -> None:
        """Play the seeds that are left in all environments at once, and keep the agent's data sheet.

        ``agent.json`` holds what :meth:`Models.make` knows of the model; ``play``, the wall-clock seconds of the play
        and how many episodes they cover (those of a session that was killed are missing); and ``signals``, see
        :meth:`Yardstick.measure`.
        """
        from acgym.loop import play_async

        started = time.perf_counter()

        async def everything() -> list[list[Episode]]:
            return await asyncio.gather(
                *(
                    play_async(
                        agent, env, seeds, kwargs=self.settings.envs[env], on_episode=self._writer(spec, env, seeds)
                    )
                    for env, seeds in left.items()
                )
            )

        played = [episode for episodes in asyncio.run(everything()) for episode in episodes]
        if played:
            before = sheet.get("play", {"seconds": 0.0, "episodes": 0})
            sheet["play"] = {
                "seconds": before["seconds"] + time.perf_counter() - started,
                "episodes": before["episodes"] + sum(episode.outcome == "finished" for episode in played),
            }
        self.run.write_json(SHEET, sheet, spec.text)

    def probe(self, spec: AgentSpec, agent: Agent, sheet: dict[str, Json]) -> None:
        """Teacher-force the first agent's transcripts through an agent's model, or note why not."""
        if spec.text == self.first.text:
            self._tokens = None  # it may just have played: collect them anew
        digest = self.tokens().digest
        if spec.kind not in MODELS:
            sheet["signals"] = {"tokens_sha256": digest, "reason": "the agent has no model"}
        elif self.first.kind not in MODELS:
            reason = f"{self.first.text} has no model to compare with"
            sheet["signals"] = {"tokens_sha256": digest, "reason": reason}
        else:
            from acgym.compare_probe import write_signals

            self.models.listener.stage(spec.text, "probing")
            own = cast("LocalAgent", agent)
            yardstick = self.yardstick(own if spec.text == self.first.text else None)
            if isinstance(yardstick, str):
                sheet["signals"] = {"tokens_sha256": digest, "reason": yardstick}
            else:
                sheet["signals"], measured = yardstick.measure(own, self._first_alive(spec, own))
                write_signals(measured, self.run.folder(spec.text))
        self.run.write_json(SHEET, sheet, spec.text)

    def tokens(self) -> Tokens:
        """Collect the first agent's tokens; it has played by now."""
        from acgym.compare_probe import Tokens

        if self._tokens is None:
            self._tokens = Tokens.of(self.run, self.first.text)
        return self._tokens

    def yardstick(self, first: LocalAgent | None = None) -> Yardstick | str:
        """Return what models are measured against, or why there is nothing; makes the first agent if it must."""
        from acgym.compare_probe import Yardstick

        if self._yardstick is None:
            first = first or cast("LocalAgent", self.models.make(self.first)[0])
            try:
                self._yardstick = Yardstick.of(self.tokens(), first)
            except ValueError as why:
                self._yardstick = f"{self.first.text} cannot be probed: {why}"
        return self._yardstick

    def tell(self, spec: AgentSpec, env: str, done: int) -> None:
        """Tell the listener how many episodes are done."""
        self.models.listener.playing(spec.text, env, done, self.settings.episodes)

    def _to_probe(self, spec: AgentSpec) -> bool:
        return spec.kind in MODELS and self.first.kind in MODELS

    def _probed(self, sheet: dict[str, Json]) -> bool:
        """Say whether the signals on the disk are there and were taken on the tokens of today."""
        return bool(sheet.get("signals", {}).get("tokens_sha256") == self.tokens().digest)

    def _first_alive(self, spec: AgentSpec, agent: LocalAgent) -> LocalAgent | None:
        if spec.text == self.first.text:
            return agent
        if self.first.recipe is None and spec.base.text == self.first.text:
            return self.models.dense(self.first)
        return None

    def _writer(self, spec: AgentSpec, env: str, seeds: list[int]) -> Callable[[Episode], None]:
        """Return the callback that appends each episode to the record and tells the listener."""
        count = self.settings.episodes - len(seeds)

        def write(episode: Episode) -> None:
            nonlocal count
            count += 1
            self.run.append(spec.text, episode)
            self.tell(spec, env, count)

        return write
