"""All environments together: equal weights, corrected over agents, and a limit where nothing could be lost."""

from __future__ import annotations

import pytest

from acgym.analysis.comparison import assemble_result
from acgym.analysis.score import NoEpisodes, compare, score
from acgym.analysis.together import compare_together, score_together
from acgym.record.run import Run
from acgym.statistics.paired import holm, mcnemar
from tests.helpers.scored import episode, failed
from tests.helpers.scored import run as played

ENVS = ("A", "B")


def in_env(env, outcomes, agent="dense"):
    return played(outcomes, agent, env=env)


def test_environments_weigh_the_same_whatever_finished():
    dense = {"A": in_env("A", [1] * 10), "B": in_env("B", [1] * 30)}
    other = {"A": in_env("A", [0] * 5 + [1] * 5, "q"), "B": in_env("B", [1] * 30, "q")}
    found = compare_together(dense, other)
    assert found.success_difference == -0.25  # the mean of -0.5 and 0; as one sample it would be -0.125
    assert (found.n, found.lost, found.won, found.p) == (40, 5, 0, mcnemar(5, 0))
    assert (found.dense_success, found.other_success) == (1.0, 0.75)
    assert score_together(other).success == 0.75
    assert -0.25 in found.success_interval
    alone = compare_together({"A": dense["A"]}, {"A": other["A"]})
    plain = compare(dense["A"], other["A"])
    assert alone.success_interval.low == pytest.approx(plain.success_interval.low)
    assert (alone.p, alone.success_difference, alone.detectable_drop) == (plain.p, -0.5, plain.detectable_drop)
    assert score_together({"A": other["A"]}).success_interval.low == pytest.approx(
        score(other["A"]).success_interval.low
    )


def test_without_one_environment_there_is_no_mean_over_all():
    dense = {"A": in_env("A", [1, 1]), "B": in_env("B", [1, 1])}
    other = {"A": in_env("A", [1, 0], "q"), "B": [failed(i, agent="q", env="B") for i in range(2)]}
    with pytest.raises(NoEpisodes, match="no mean over all environments: no finished pair of episodes in B"):
        compare_together(dense, other)
    with pytest.raises(NoEpisodes):
        score_together(other)


def written(folder, rows):
    run = Run.open(folder, {"agents": list(rows), "envs": {env: {} for env in ENVS}, "episodes": 20, "seed": 0})
    with run:
        for name, by_env in rows.items():
            for env, outcomes in zip(ENVS, by_env, strict=True):
                for seed, solved in enumerate(outcomes):
                    run.append(name, episode(seed, bool(solved), env=env, agent=name))
    return run


def test_the_p_of_all_is_corrected_over_the_agents(tmp_path):
    most, some = [1] * 20, [0] * 6 + [1] * 14
    rows = {"dense": (most, most), "q": (some, most), "r": (some, some), "s": (most, most)}
    result = assemble_result(written(tmp_path / "run", rows))
    pooled = [agent.comparison("all") for agent in result.others]
    assert [row.p for row in pooled] == [mcnemar(6, 0), mcnemar(12, 0), 1.0]
    assert [row.p_holm for row in pooled] == holm([row.p for row in pooled])
    assert result.others[0].comparison("A").p_holm == 2 * mcnemar(6, 0)  # over the environments, of each agent alone
    assert [row.significant for row in pooled] == [False, True, False]


def test_a_first_agent_that_solves_nothing_is_a_limit_and_no_result(tmp_path):
    none = [0] * 20
    result = assemble_result(written(tmp_path / "run", {"dense": (none, [1] * 20), "q": (none, [1] * 20)}))
    rows = {env: result.others[0].comparison(env) for env in (*ENVS, "all")}
    assert {env: row.limit for env, row in rows.items()} == {"A": "floor", "B": None, "all": None}
    few = compare(in_env("A", [1] * 5), in_env("A", [0] * 5, "q"))
    assert (few.limit, few.significant) == ("few", False)
    assert compare(in_env("A", [1] * 6), in_env("A", [1] * 6, "q")).limit is None
    better = compare(in_env("A", none), in_env("A", [1] * 20, "q"))
    assert (better.limit, better.significant) == (None, True)
