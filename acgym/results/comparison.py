"""``ComparisonResult``: what ``acgym.compare`` and ``acgym.open_run`` return."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterable
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgym.analysis.comparison import assemble_result
from acgym.analysis.result import POOLED, RESULT
from acgym.analysis.result import ComparisonResult as Numbers
from acgym.record.run import Run
from acgym.report.cells import Grid
from acgym.report.grids import grids
from acgym.report.material import Material, Missing
from acgym.report.tables import capabilities
from acgym.report.verdict import verdicts
from acgym.report.words import short_env
from acgym.results.aligned import EpisodePair
from acgym.results.rows import AgentRow, EpisodeRows, agent_rows, episode_rows, to_frame
from acgym.results.table import Table
from acgym.types import canonical_json

if TYPE_CHECKING:
    from acgym.record.episode import Episode
    from acgym.report.picture import Picture


class ComparisonResult:
    """A finished comparison: its numbers, its episodes, and how to show them.

    Agents and environments may be named in short wherever one is meant: ``"rtn-w3"`` for ``"reference+rtn-w3-g128"``,
    ``"Needle"`` for ``"ACB/Needle-v0"``, as long as only one is meant. ``print(result)`` shows the table and the
    verdicts, a notebook shows them as HTML.

    Attributes:
        run: the run on disk (:class:`acgym.record.run.Run`).
        numbers: every number, as ``comparison.json`` holds them (:class:`acgym.analysis.result.ComparisonResult`).
    """

    def __init__(self, run: Run, numbers: Numbers, *, temporary: bool = False) -> None:
        self.run, self.numbers = run, numbers
        self._material = Material(numbers, run)
        if temporary:
            weakref.finalize(self, shutil.rmtree, run.path, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """The run's folder. A temporary one is removed with this object; :meth:`save` keeps it."""
        return self.run.path

    @property
    def agents(self) -> list[str]:
        """The agents as the run names them, the first one, which the others are compared with, first."""
        return [agent.name for agent in self.numbers.agents]

    @property
    def envs(self) -> list[str]:
        """The environments' ids."""
        return self.numbers.envs

    @property
    def dense(self) -> str:
        """The first agent."""
        return self.numbers.dense

    @property
    def verdicts(self) -> dict[str, str]:
        """What each agent lost, and how certainly, in a few sentences: agent -> verdict; not of the first agent."""
        return verdicts(self.numbers)

    def table(self, env: str | None = None) -> Table:
        """Return a table: ``print`` it, or let a notebook show it.

        Args:
            env: an environment, or ``"all"`` for all together: difference, p, errors and signals of each agent; None
                for the table of all agents by all environments.
        """
        return Table(self._grid(env))

    def _grid(self, env: str | None) -> Grid:
        if env is None:
            return capabilities(self._material)
        labels = [*self.numbers.labels]
        where = env if env == POOLED and POOLED in labels else self._env(self.envs[0] if env == POOLED else env)
        together = [label for label in labels if label == POOLED]
        order = [*self.envs, *self.numbers.capabilities, *together]
        return dict(zip(order, grids(self.numbers), strict=False))[where]

    def rows(self, *, together: bool = False) -> list[AgentRow]:
        """Return one row for each agent and environment; with ``together`` also each agent's over all (``"all"``)."""
        return agent_rows(self.numbers, self.numbers.labels if together else self.envs)

    def to_pandas(self, *, together: bool = False) -> Any:
        """Return :meth:`rows` as a ``pandas.DataFrame``, one column for each field of ``AgentRow``.

        Raises:
            ImportError: if pandas is not installed (``pip install 'acgym[pandas]'``).
        """
        return to_frame(self.rows(together=together), AgentRow)

    def episodes(self, agent: str | None = None, env: str | None = None) -> EpisodeRows:
        """Return one row for each episode of each agent, by agent, environment and seed.

        Args:
            agent: only this agent's.
            env: only those of this environment.

        Returns:
            A list of :class:`acgym.results.rows.EpisodeRow`; its ``to_pandas()`` makes a data frame. The first call
            reads all episodes of the run.

        Raises:
            ValueError: for an agent or environment that the run has not, or a damaged file of episodes.
        """
        who = None if agent is None else self._agent(agent)
        where = None if env is None else self._env(env)
        rows = self._rows
        return EpisodeRows(row for row in rows if who in (None, row.agent) and where in (None, row.env))

    @cached_property
    def _rows(self) -> EpisodeRows:
        place = {env: number for number, env in enumerate(self.envs)}
        rows = EpisodeRows()
        for name in self.agents:
            other = None if name == self.dense else self._episodes[name]
            made = episode_rows(self._episodes[self.dense], other, name)
            rows += sorted(made, key=lambda row: (place[row.env], row.seed))
        return rows

    @property
    def _episodes(self) -> dict[str, list[Episode]]:
        try:
            return self._material.episodes
        except Missing as why:
            raise ValueError(str(why)) from None

    def pair(self, agent: str, env: str | None = None, seed: int | None = None) -> EpisodePair:
        """Return one task as the first agent and another one played it, aligned turn by turn.

        Args:
            agent: the other agent.
            env: the environment; None for the first one.
            seed: the episode's; None for the first episode that the agent lost, else the first that differs, else the
                first.

        Raises:
            ValueError: for an agent, environment or seed that the run has not.
        """
        who, where = self._agent(agent), self.envs[0] if env is None else self._env(env)
        rows = self.episodes(who, where)
        if seed is None and rows:
            telling = [row for row in rows if row.outcome == "lost"] or [
                row for row in rows if row.first_difference is not None
            ]
            seed = (telling or rows)[0].seed
        found = [
            next((episode for episode in self._episodes[name] if (episode.env, episode.seed) == (where, seed)), None)
            for name in (self.dense, who)
        ]
        if found[0] is None or found[1] is None:
            seeds = [row.seed for row in rows]
            known = f"{min(seeds)} to {max(seeds)}" if seeds else "none"
            raise ValueError(f"{where} was not played with seed {seed} by both agents; there are seeds {known}")
        return EpisodePair(found[0], found[1])

    def figure(self, name: str = "forest", **options: Any) -> Picture:
        """Draw a figure.

        Args:
            name: ``forest`` (differences to the first agent with their intervals), ``pareto`` (success against size),
                ``curve`` (success along a number that describes the tasks), or one of the report's: ``flips``,
                ``divergence``, ``failures``, ``handoffs``, ``energies``, ``positions``, ``layers``, ``needles``.
            options: of ``curve``: ``fact``, the number, such as ``"length"``; None for the first that varies.

        Returns:
            A matplotlib figure; ``savefig(path)`` writes it, a notebook shows it.

        Raises:
            ValueError: for a name that there is not, or a figure that this run has nothing for; says why.
        """
        from acgym.results.figures import draw

        return draw(self._material, name, **options)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file that needs no other and no network, and return its path.

        Args:
            path: of the file; None for ``report.html`` in the run's folder.
        """
        from acgym.report.page import write_report

        path = self.folder / "report.html" if path is None else Path(path)
        write_report(self.numbers, path, self.run)
        return path

    def save(self, folder: str | Path) -> ComparisonResult:
        """Copy the run to a folder that stays, and return it as opened there.

        Raises:
            FileExistsError: if the folder is there already.
        """
        shutil.copytree(self.folder, folder)
        return open_run(folder)

    def _agent(self, name: str) -> str:
        return _meant(name, self.agents, [f"{self.dense}+{name}", f"python:{name}"], "agent")

    def _env(self, name: str) -> str:
        short = {short_env(env): env for env in self.envs}
        return short.get(name) or _meant(name, self.envs, [f"ACB/{name}"], "environment")

    def __str__(self) -> str:
        """Show the table and the verdicts."""
        return "\n\n".join([str(self.table()), *self.verdicts.values()])

    def __repr__(self) -> str:
        """Name the agents and the folder."""
        return f"<ComparisonResult of {', '.join(self.agents)} in {self.folder}>"

    def _repr_html_(self) -> str:
        """Show the table and the verdicts in a notebook."""
        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in self.verdicts.values())
        return f"{self.table()._repr_html_()}{said}"


def open_run(folder: str | Path) -> ComparisonResult:
    """Open a run that was made before, by ``acgym.compare`` or the command line. No model is loaded.

    Args:
        folder: of the run.

    Returns:
        What ``acgym.compare`` returned. Numbers that are not written yet, or are of other agents, are made anew from
        the episodes; nothing is written.

    Raises:
        FileNotFoundError: if there is no run in the folder.
        acgym.record.lines.RecordDamaged: if a file of it is damaged.
        ValueError: if the run is not finished; says which agent lacks episodes.
    """
    run = Run.read(folder)
    missing = [name for name in run.settings["agents"] if name not in run.agents()]
    if missing:
        raise ValueError(f"{folder} is not finished: {', '.join(missing)} has not played; go on with the same command")
    written = run.read_json(RESULT)
    if written is None or canonical_json(written.get("settings")) != canonical_json(dict(run.settings)):
        return ComparisonResult(run, assemble_result(run))
    return ComparisonResult(run, Numbers.from_json(written, f"{run.path / RESULT}"))


def _meant(name: str, known: Iterable[str], longer: Iterable[str], what: str) -> str:
    """Return the one of the known names that is meant; each name that begins as it does is, if it is the only one."""
    names = list(known)
    for form in (name, *longer):
        if form in names:
            return form
    found = {one for form in (name, *longer) for one in names if one.startswith(form)}
    if len(found) != 1:
        which = "means several" if found else "is none of the run's"
        raise ValueError(f"the {what} {name!r} {which}; expected one of {', '.join(sorted(found) or names)}")
    return found.pop()
