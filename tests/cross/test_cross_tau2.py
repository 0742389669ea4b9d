"""Our shop, airline, carrier and phone beside tau2's own tools, on gold calls and on gold with one thing changed."""

from __future__ import annotations

import json
import random
from contextlib import suppress

import pytest

from acgym.envs.tools.desk.env import Airline, Retail
from acgym.envs.tools.desk.records import Records
from acgym.envs.tools.schema import fault
from acgym.envs.tools.tau2_refused import Refused
from acgym.envs.tools.telecom.env import Telecom
from acgym.envs.tools.telecom.tools import SIDES
from tests.cross import environments
from tests.cross.bfcl_cases import argument_changed, one_changed

pytestmark = pytest.mark.cross

PLAYED = {"retail": (Retail, 68, 114), "airline": (Airline, 20, 50)}


@pytest.fixture(scope="module")
def folder(published):
    """The data as its authors publish it."""
    return published("tau2")


@pytest.fixture
def played(tmp_path, folder):
    """Hand cases to the original; return what it found for each."""

    def play(cases):
        file = tmp_path / "cases.jsonl"
        file.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
        job = {"out": str(tmp_path / "out"), "options": {"folder": str(folder), "cases": str(file)}}
        return environments.run(environments.python("tau2"), "in_tau2.py", job)["found"]

    return play


def changes(made, calls):
    """Return what calls change here, as the original's report has it."""
    records = Records(made._tables)
    for name, arguments in calls:
        tool = made.domain.tools[name]
        if fault(tool.schema, arguments) is None:
            with suppress(Refused):
                tool.run(records, **arguments)
    return {f"{table}/{key}": record for (table, key), record in records.changes().items()}


@pytest.mark.parametrize("domain", PLAYED)
def test_calls_change_what_they_change_in_the_original(played, folder, domain):
    made, count, of = PLAYED[domain]
    env = made(path=str(folder))
    assert (env.rows, env.rows + len(env.not_played)) == (count, of)
    rows = json.loads((folder / domain / "tasks.json").read_text("utf-8"))
    rng = random.Random(0)
    cases = []
    for row in rows:  # gold of all tasks, also of those that are not played here
        gold = [(one["name"], one["arguments"]) for one in row["evaluation_criteria"]["actions"]]
        writes = [call for call in gold if not call[0].startswith(("get_", "find_", "search_", "list_"))]
        changed = [calls for calls in argument_changed(writes, rng) if all(_fits(env, call) for call in calls)]
        for calls in [gold, *one_changed(writes), *rng.sample(changed, min(6, len(changed)))]:
            cases.append({"domain": domain, "id": row["id"], "calls": calls})
    for case, theirs in zip(cases, played(cases), strict=True):
        assert changes(env, case["calls"]) == theirs, case


def _fits(env, call):
    """Whether a call is in the form of its tool; what is not is refused here, where the original may carry it out."""
    return fault(env.domain.tools[call[0]].schema, call[1]) is None


def test_tickets_are_solved_by_the_calls_that_solve_them_in_the_original(played, folder):
    full = Telecom("full", path=str(folder))
    base = {row.id for row in Telecom("base", path=str(folder))._rows}
    rng = random.Random(0)
    cases, ours = [], []
    for seed in range(full.rows):
        full.reset(seed=seed)
        gold = [tuple(call) for call in full.task.reference]
        name = full.task.data["id"]
        forms = [gold, [], *one_changed(gold)] if name in base else [gold, gold[: rng.randrange(len(gold) + 1)]]
        for calls in forms:
            cases.append({"domain": "telecom", "id": name, "calls": calls, "sides": SIDES})
            ours.append(_solved(full, seed, calls))
    differing = [
        (case, mine, theirs) for case, mine, theirs in zip(cases, ours, played(cases), strict=True) if mine != theirs
    ]
    assert differing == []


def _solved(env, seed, calls):
    """Whether the data's assertions hold after calls."""
    env.reset(seed=seed)
    for name, arguments in calls:
        env.step(json.dumps({"name": name, "arguments": arguments}))
    return all(env._world.holds(one) for one in env.task.data["evaluation_criteria"]["env_assertions"] or ())
