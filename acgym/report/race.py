"""A race of recipes, shown: what was chosen and what it took, a table of where each recipe stands."""

from __future__ import annotations

from acgym.analysis.race import Race, Runner, Standing
from acgym.report.cells import DASH, Cell, Grid, Tone
from acgym.report.words import EASIER, join, short_env
from acgym.text import printable

_STATES = {
    "chosen": "chosen",
    "dropped": "dropped",
    "open": "still open",
    "waiting": "not played",
    "cannot": "cannot be measured",
}


def race_grid(found: Race) -> Grid:
    """Lay the race out, the smallest recipe first."""
    heads = ("recipe", "bits/\nweight", "outcome", *(printable(short_env(env)) for env in found.envs), "episodes")
    rows = []
    for runner in found.runners:
        tone: Tone = "gain" if runner.state == "chosen" else "loss" if runner.state == "dropped" else ""
        size = Cell(DASH if runner.bits is None else f"{runner.bits:.2f}")
        cells = [_cell(runner.standings.get(env)) for env in found.envs]
        outcome = Cell(_STATES[runner.state], tone)
        rows.append((Cell(_name(runner, found)), size, outcome, *cells, Cell(f"{runner.episodes:,}")))
    note = (
        f"Not worse than {100 * found.margin:g} points than {found.dense}? Then lost/won of the pairs played. The "
        "tests hold at any time and over all recipes: with at most 5 % chance a recipe that is worse somewhere is "
        "chosen, and with at most 5 % one is dropped that is not."
    )
    return Grid("The race", heads, tuple(rows), note=printable(note))


def race_sentences(found: Race) -> list[str]:
    """Say what was chosen, what it took, what was dropped and what is still open."""
    points = f"{100 * found.margin:g} points"
    chosen, said = found.chosen, []
    each = f"each of {len(found.envs)} environments" if len(found.envs) > 1 else short_env(found.envs[0])
    if chosen is not None:
        size = "" if chosen.bits is None else f" ({chosen.bits:.2f} bits a weight)"
        said.append(
            f"{_name(chosen, found)}{size} is the smallest of {len(found.runners)} recipes that is shown to be not "
            f"worse than {points} in {each}."
        )
    elif found.blind:
        named = join([short_env(env) for env in found.blind])
        said.append(f"No recipe can be chosen: {named} cannot be measured here, since {found.dense} solves next to "
                    f"nothing, or no more than guessing; {EASIER}, or leave it out.")  # fmt: skip
    else:
        said.append(f"No recipe is shown to be not worse than {points} in {each}.")
    for runner in found.runners:
        if runner.state == "dropped":
            bad = [env for env, row in runner.standings.items() if row.verdict == "no"]
            most = max(row.n for row in runner.standings.values())
            said.append(f"{_name(runner, found)}: worse than that in {join([short_env(env) for env in bad])}, after "
                        f"{most:,} episodes.")  # fmt: skip
        elif runner.state == "open":
            still = {env: row for env, row in runner.standings.items() if row.verdict == "open"}
            words = [short_env(env) + ("" if row.further is None else f" (about {row.further:,} more episodes)")
                     for env, row in still.items()]  # fmt: skip
            said.append(f"{_name(runner, found)}: still open in {join(words)}.")
    others = sum(runner.episodes for runner in found.runners)
    said.append(f"It took {found.dense_episodes:,} episodes of {found.dense} and {others:,} of recipes, "
                f"{found.seconds:,.0f} seconds.")  # fmt: skip
    return [printable(one) for one in said]


def _name(runner: Runner, found: Race) -> str:
    return printable(runner.agent.removeprefix(f"{found.dense}+"))


def _cell(row: Standing | None) -> Cell:
    if row is None:
        return Cell(DASH)
    words = {"yes": "yes", "no": "no", "open": "open", "cannot": DASH}[row.verdict]
    tone: Tone = "gain" if row.verdict == "yes" else "loss" if row.verdict == "no" else ""
    return Cell(f"{words}\n{row.lost}/{row.won} of {row.n:,}", tone)
