"""The command ``acgym plan``: how many episodes a comparison needs."""

from __future__ import annotations

from typing import Annotated

import typer

from acgym.cli.terminal import plain_errors


def plan(
    difference: Annotated[
        float, typer.Option(help="The drop in success that must not be missed: 0.02 is two points.")
    ] = 0.02,
    discordant: Annotated[
        float,
        typer.Option(
            help="Share of episodes that only one of the two agents solves. An earlier run's lost and won say."
        ),
    ] = 0.05,
    power: Annotated[float, typer.Option(help="Chance to find a drop of that size.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Chance of a false alarm.")] = 0.05,
    episodes: Annotated[int | None, typer.Option(help="Say also what this many episodes could show.")] = None,
) -> None:
    """Say how many episodes are needed to find a drop in success, for each environment and agent.

    The figures are exact, for the exact McNemar test on pairs of episodes that two agents both played.
    """
    with plain_errors():
        for line in plan_lines(difference, discordant, power, alpha, episodes):
            typer.echo(line)


def plan_lines(
    difference: float, discordant: float, power: float = 0.8, alpha: float = 0.05, episodes: int | None = None
) -> list[str]:
    """Say in sentences what :mod:`acgym.statistics.power` computes.

    Raises:
        ValueError: for a share outside its range, a difference above the discordant share, or no episodes.
    """
    from acgym.statistics.power import episodes_needed, mcnemar_power, minimum_detectable_drop

    if not 0 < difference <= 1 or not 0 <= discordant <= 1:
        raise ValueError(
            f"--difference must be above 0 and --discordant from 0, both at most 1 (0.02 is two points), "
            f"got {difference} and {discordant}"
        )
    if not 0 < power < 1 or not 0 < alpha < 1:
        raise ValueError(f"--power and --alpha must be between 0 and 1, such as 0.8 and 0.05, got {power} and {alpha}")
    if episodes is not None and episodes < 1:
        raise ValueError(f"--episodes must be at least 1, got {episodes}")
    if difference > discordant:
        raise ValueError(
            f"a drop of {100 * difference:g} points needs at least {100 * difference:g} % discordant episodes, since "
            f"each lost episode is one; got --discordant {discordant:g}"
        )
    needed = episodes_needed(difference, discordant, power, alpha)
    terms = f"{100 * discordant:g} % of episodes discordant, level {alpha:g}"
    lines = [
        f"{needed:,} episodes of each agent find a drop of {100 * difference:g} points with power {power:g} ({terms})."
    ]
    if episodes is not None:
        drop = minimum_detectable_drop(episodes, discordant, power, alpha)
        found = mcnemar_power(episodes, difference, discordant, alpha)
        smallest = "no drop at all" if drop is None else f"drops of {100 * drop:.1f} points and more"
        lines.append(
            f"{episodes:,} episodes find {smallest} with power {power:g}, and one of {100 * difference:g} points with "
            f"power {found:.2f}."
        )
    return lines
