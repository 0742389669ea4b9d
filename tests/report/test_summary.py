"""The sentence that recommends claims what the numbers carry, and no more."""

from __future__ import annotations

import pytest

from acgym.report.summary import recommendation, run_facts
from tests.helpers.results import comparison_row, read

ENVS = ("ACB/Needle-v0", "ACB/ToolCall-v0")


def equivalence(verdict):
    return {"margin": 0.02, "verdict": verdict, "n": 100, "p": 0.5, "p_worse": 0.5}


def result(agents, margin=None, floor=False, envs=ENVS):
    """Make a comparison of agents that are told as (bytes, lower end over all, verdicts by environment)."""
    rows = [{"name": "dense", "sheet": {"weight_bytes": 10e6}}]
    for name, (size, low, verdicts) in agents.items():
        row = comparison_row(success_interval={"low": low, "high": 0.01}, **({"dense_success": 0.02} if floor else {}))
        labels = [*envs, "all"] if len(envs) > 1 else envs
        found = {env: equivalence(said) for env, said in zip(envs, verdicts, strict=False)}
        rows.append({"name": f"dense+{name}", "sheet": {} if size is None else {"weight_bytes": size},
                     "comparisons": dict.fromkeys(labels, row), "equivalence": found or None})  # fmt: skip
    settings = {"envs": {env: {} for env in envs}, "seed": 7}
    return read({"settings": settings, "dense": "dense", "agents": rows, "margin": margin})


def test_without_a_margin_the_smallest_whose_interval_rules_five_points_out_is_named():
    found = result({"w8": (8e6, -0.01, ()), "w4": (2.5e6, -0.046, ()), "w2": (1e6, -0.4, ())})
    assert recommendation(found).startswith(
        "Smallest whose loss is under 5 points over all 2 environments: w4 (2.50 MB, 25 % of dense); up to 4.6 points"
    )


def test_too_few_episodes_recommend_nothing():
    found = result({"w8": (8e6, -0.11, ()), "w4": (2.5e6, -0.2, ())}, envs=ENVS[:1])
    assert recommendation(found) == (
        "Too few episodes to recommend one: a loss of 5 points in Needle is ruled out for none. Nearest comes w8, with "
        "up to 11.0 points."
    )


def test_where_nothing_can_be_lost_nothing_is_recommended():
    found = result({"w4": (2.5e6, 0.0, ())}, floor=True)
    assert recommendation(found) == "Nothing can be said of a loss: dense solves too little here."


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        ({"w8": ("yes", "yes"), "w4": ("yes", "yes"), "w2": ("yes", "open")},
         "Smallest that is not worse than dense by 2 points in any environment: w4 (4.00 MB, 40 % of dense)."),
        ({"w4": ("yes", "no"), "w2": ("open", "yes")},
         "No compressed agent is shown to be within 2 points of dense in every environment; still open, smallest "
         "first: w2."),
        ({"w4": ("cannot", "yes"), "w2": ("no", "no")},
         "No compressed agent is shown to be within 2 points of dense in every environment."),
    ],
)  # fmt: skip
def test_with_a_margin_only_yes_in_every_environment_counts(agents, said):
    sizes = {"w8": 8e6, "w4": 4e6, "w2": 2e6}
    found = result({name: (sizes[name], -0.5, verdicts) for name, verdicts in agents.items()}, margin=0.02)
    assert recommendation(found) == said


def test_agents_without_a_known_size_are_not_ranked():
    assert recommendation(result({"served": (None, -0.01, ())})) == ""


def test_the_facts_of_a_run_that_is_not_at_hand_are_those_of_the_comparison():
    facts = dict(run_facts(result({}), None))
    assert facts == {"episodes": "100 in each of 2, from seed 7", "environments": "Needle, ToolCall"}
