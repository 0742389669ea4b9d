"""Capabilities that several environments measure are compared by the mean over those."""

from __future__ import annotations

import pytest

from acgym.analysis.capabilities import capability_comparisons, capability_groups, capability_scores
from acgym.analysis.numbers import Comparison, NotMeasured, Score
from acgym.analysis.together import compare_together
from tests.helpers.scored import episode, failed

TOOLS, WORLD = "tool calling", "real-world applications"


def played(agent, **solved):
    """Episodes by environment: those named a, b measure tools, c the world."""
    return {
        env: [
            episode(i, bool(one), env=f"X/{env}-v0", agent=agent, capability=WORLD if env == "c" else TOOLS)
            for i, one in enumerate(values)
        ]
        for env, values in solved.items()
    }


DENSE = played("dense", a=[1] * 20, b=[1] * 10 + [0] * 10, c=[1] * 20)
OTHER = played("other", a=[1] * 10 + [0] * 10, b=[0] * 20, c=[1] * 20)
GROUPS = {TOOLS: ("a", "b")}


def test_only_capabilities_with_several_environments_are_groups():
    assert capability_groups(DENSE) == GROUPS
    assert capability_groups({"c": DENSE["c"]}) == {}


def test_episodes_that_do_not_say_it_are_in_no_group():
    """Records of format 1 do not hold a capability."""
    silent = {env: [episode(i, env=env, capability=None) for i in range(3)] for env in "ab"}
    assert capability_groups(silent) == {}


def test_a_score_is_the_mean_over_its_environments_by_hand():
    found = capability_scores(DENSE, GROUPS)[TOOLS]
    assert isinstance(found, Score)
    assert (found.success, found.n) == (0.75, 40)  # (1 + 0.5) / 2


def test_a_comparison_is_that_of_its_environments_alone():
    found = capability_comparisons(DENSE, {"other": OTHER}, GROUPS)["other"][TOOLS]
    assert isinstance(found, Comparison)
    assert found.success_difference == pytest.approx(-0.5)  # (-0.5 - 0.5) / 2
    assert (found.lost, found.won) == (20, 0)
    alone = compare_together({env: DENSE[env] for env in "ab"}, {env: OTHER[env] for env in "ab"})
    assert (found.success_interval, found.p) == (alone.success_interval, alone.p)


def test_p_values_are_adjusted_over_agents_and_capabilities():
    others = {"one": OTHER, "two": DENSE, "three": DENSE}
    rows = capability_comparisons(DENSE, others, GROUPS)
    one, two = rows["one"][TOOLS], rows["two"][TOOLS]
    assert isinstance(one, Comparison)
    assert isinstance(two, Comparison)
    assert one.p_holm == pytest.approx(min(1.0, 3 * one.p))
    assert two.p_holm == 1.0


def test_what_did_not_finish_is_not_measured():
    gone = {**OTHER, "b": [failed(i, env="X/b-v0", agent="other", capability=TOOLS) for i in range(20)]}
    row = capability_comparisons(DENSE, {"other": gone}, GROUPS)["other"][TOOLS]
    assert isinstance(row, NotMeasured)
    assert isinstance(capability_scores(gone, GROUPS)[TOOLS], NotMeasured)
