"""The command ``acgym plan``: how many episodes a comparison needs."""

from __future__ import annotations

from typing import Annotated, NamedTuple

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
    environments: Annotated[
        int, typer.Option(help="Environments of the comparison: a p is corrected for their number.")
    ] = 4,
    recipes: Annotated[
        int, typer.Option(help="Agents beside the first one: the p of all environments is corrected for their number.")
    ] = 1,
) -> None:
    """Say how many episodes are needed to find a drop in success.

    The figures are for the p that a comparison prints: the exact McNemar test on pairs of episodes that two agents both
    played, Holm-corrected over the environments, and over the recipes for all environments together. They are exact
    where one environment alone is damaged (one recipe alone); with more of them damaged the power is larger.
    """
    with plain_errors():
        for line in plan_lines(difference, discordant, power, alpha, episodes, environments, recipes):
            typer.echo(line)


def plan_lines(
    difference: float,
    discordant: float,
    power: float = 0.8,
    alpha: float = 0.05,
    episodes: int | None = None,
    environments: int = 4,
    recipes: int = 1,
) -> list[str]:
    """Say in sentences what :mod:`acgym.statistics.power` computes for the p-values that a comparison prints.

    Holm's smallest p is compared with alpha over the number of tests, so a test at that level finds what one damaged
    environment (or, of all environments together, one damaged recipe) loses while the others lose nothing. With one
    environment that one is all of them, and corrected over the recipes.

    Raises:
        ValueError: for a share outside its range, a difference above the discordant share, or no episodes,
            environments or recipes.
    """
    if not 0 < difference <= 1 or not 0 <= discordant <= 1:
        raise ValueError(
            f"--difference must be above 0 and --discordant from 0, both at most 1 (0.02 is two points), "
            f"got {difference} and {discordant}"
        )
    if not 0 < power < 1 or not 0 < alpha < 1:
        raise ValueError(f"--power and --alpha must be between 0 and 1, such as 0.8 and 0.05, got {power} and {alpha}")
    for name, count in (("episodes", episodes), ("environments", environments), ("recipes", recipes)):
        if count is not None and count < 1:
            raise ValueError(f"--{name} must be at least 1, got {count}")
    if difference > discordant:
        raise ValueError(
            f"a drop of {100 * difference:g} points needs at least {100 * difference:g} % discordant episodes, since "
            f"each lost episode is one; got --discordant {discordant:g}"
        )
    plans = (
        [] if environments == 1 else [_Plan(1, environments, "environments", f"in one of {environments} environments")]
    )
    where = "" if environments == 1 else f"over all {environments} environments"
    plans.append(_Plan(environments, recipes, "recipes", where))
    share = f"{100 * discordant:g} % of episodes discordant"
    lines = [plan.needed(difference, discordant, power, alpha, share) for plan in plans]
    if episodes is not None:
        lines += [plan.found(episodes, difference, discordant, power, alpha) for plan in plans]
    return lines


class _Plan(NamedTuple):
    """One of the tests that a comparison prints."""

    strata: int
    """Environments whose episodes it takes together."""
    tests: int
    """Tests that stand together, this one among them."""
    of: str
    """What they are tests of."""
    where: str

    def needed(self, drop: float, discordant: float, power: float, alpha: float, share: str) -> str:
        """Say how many episodes find a drop."""
        from acgym.statistics.power import episodes_needed

        pairs = episodes_needed(drop, discordant, power, alpha / self.tests)
        level = f"level {alpha:g}" + (f", Holm-corrected over {self.tests} {self.of}" if self.tests > 1 else "")
        each = " in each environment" if self.strata > 1 else ""
        return (
            f"{-(-pairs // self.strata):,} episodes of each agent{each} find a drop of {100 * drop:g} points"
            f"{self.where and ' '}{self.where} with power {power:g} ({share}, {level})."
        )

    def found(self, episodes: int, drop: float, discordant: float, power: float, alpha: float) -> str:
        """Say what a number of episodes of each environment finds."""
        from acgym.statistics.power import mcnemar_power, minimum_detectable_drop

        pairs, level = episodes * self.strata, alpha / self.tests
        least = minimum_detectable_drop(pairs, discordant, power, level)
        chance = mcnemar_power(pairs, drop, discordant, level)
        smallest = "no drop at all" if least is None else f"drops of {100 * least:.1f} points and more"
        return (
            f"{episodes:,} episodes{' in each environment' if self.strata > 1 else ''} find {smallest}"
            f"{self.where and ' '}{self.where} with power {power:g}, and one of {100 * drop:g} points with power "
            f"{chance:.2f}."
        )
