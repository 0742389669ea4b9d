"""Adds agents to a run: what it has played, probed and calibrated stays, and only the new agents play."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from acgym.assemble.fit import check_fits
from acgym.assemble.folder import fingerprint
from acgym.assemble.make import calibration_of, check_format
from acgym.assemble.spec import MODELS, model_folder
from acgym.calibrate.files import check_files
from acgym.calibrate.spec import parse_calibration
from acgym.experiment.environments import check_playable
from acgym.experiment.settings import Settings, read_specs
from acgym.record.manifest import MANIFEST, read_manifest
from acgym.record.replay import replay_episode
from acgym.record.run import Run
from acgym.types import canonical_json


def added_settings(folder: Path, agents: Sequence[str], imports: Sequence[str] = ()) -> Settings:
    """Return a run's settings with further agents, everything checked before any model is loaded.

    Args:
        folder: of the run.
        agents: specs of the agents that join; one that the run has already is left as it is.
        imports: modules to import first. Those that the run was made with must be among them, or imported: what a
            run's own file names is never imported by itself.

    Raises:
        FileNotFoundError: if there is no run in the folder, or nothing where a spec points.
        ValueError: if no agent is named, one does not fit, an environment no longer does what was recorded, or model or
            calibration files are not those that the run was made with.
    """
    run = Run.read(folder)
    before = Settings.from_dict(run.settings)
    if not agents:
        raise ValueError(f"name the agents that join the run in {folder}; it has {', '.join(before.agents)}")
    read = read_specs(agents, imports)
    lacking = [name for name in before.modules if name not in sys.modules]
    if lacking:
        raise ValueError(f"the run was made with modules of its own; import them too: {', '.join(lacking)}")
    specs = [spec for spec in read if spec.text not in before.agents]
    _refuse_changed(run, before)
    check_fits((spec.recipe, model_folder(spec), spec.base.text) for spec in specs)
    if before.tool_format is not None and specs:
        check_format(before.tool_format, [*specs, *before.specs.values()])
    used = [calibration_of(spec, parse_calibration(before.calibration)) for spec in [*before.specs.values(), *specs]]
    files = check_files(*dict.fromkeys(each for each in used if each is not None))
    for path, digest in before.calibration_files.items():
        if files.get(path) != digest:
            raise ValueError(f"{path!r} is not the calibration file that the run was made with; it was changed")
    models = {spec.base.text: fingerprint(spec) for spec in [*before.specs.values(), *specs] if spec.kind in MODELS}
    for name, mark in before.models.items():
        if models.get(name) != mark:
            raise ValueError(f"the model files of {name} are not those that the run was made with")
    for env, arguments in before.envs.items():
        check_playable(env, arguments, specs, before.seeds[: before.rows.get(env)], cut=before.suite is not None)
    return replace(
        before,
        agents=(*before.agents, *(spec.text for spec in specs)),
        modules=tuple(dict.fromkeys([*before.modules, *imports])),
        models=models,
        calibration_files=files,
    )


def _refuse_changed(run: Run, settings: Settings) -> None:
    """Replay the first agent's first episode of each environment: if it is another one now, pairs would be none."""
    seen: set[str] = set()
    for episode in run.episodes(settings.agents[0]):
        if episode.outcome == "finished" and episode.env not in seen:
            seen.add(episode.env)
            mismatch = replay_episode(episode)
            if mismatch is not None:
                raise ValueError(f"the environments are no longer those of the run: {mismatch}. Play it again instead")


def as_on_disk(settings: Settings, folder: Path) -> Settings:
    """Return the settings of the run in a folder, if they are these with agents that were added; else these.

    So the command that made a run goes on also after agents were added to it, and with them.
    """
    if not (folder / MANIFEST).is_file():
        return settings
    there = read_manifest(folder / MANIFEST)["settings"]
    count = len(settings.agents)
    if tuple(there.get("agents", ())[:count]) != settings.agents or len(there["agents"]) == count:
        return settings
    wide = Settings.from_dict(there)
    same = replace(
        wide,
        agents=settings.agents,
        modules=settings.modules,
        models={name: digest for name, digest in wide.models.items() if name in settings.models},
        calibration_files={k: v for k, v in wide.calibration_files.items() if k in settings.calibration_files},
    )
    return wide if canonical_json(same.to_dict()) == canonical_json(settings.to_dict()) else settings
