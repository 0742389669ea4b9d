"""ACB/ToolOperation: what is wanted against what calls do, a search for other ways, policies, words and errors."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import product

import gymnasium as gym
import pytest

from acgym.envs.tools.operation.functions import APPS, FUNCTIONS, TWINS, spec
from acgym.envs.tools.operation.goal import Goal, norm
from acgym.envs.tools.operation.policies import POLICIES, forbidden
from acgym.envs.tools.operation.pools import EVENTS, ITEMS, SUBJECTS, TICKETS
from acgym.envs.tools.operation.tasks import SHAPES, goal_of
from acgym.envs.tools.operation.words import answered, meaning
from acgym.envs.tools.operation.world import World
from acgym.envs.tools.query.stock import share
from acgym.envs.tools.schema import fault
from acgym.types import Call, calls_to_action, canonical_json

ID = "ACB/ToolOperation-v0"
STATE = {
    "mail": {
        "M1": {"folder": "inbox", "from": "Ada Falk", "to": "me", "subject": "Keys", "date": "2031-03-01",
               "text": "Hi.", "unread": True, "starred": False},
    },
    "event": {
        "E1": {"title": "Book club", "day": "2031-03-05", "start": "10:00", "minutes": 60, "room": "Oak",
               "people": ["Ada Falk", "Ivan Berg"]},
        "E2": {"title": "Press call", "day": "2031-03-05", "start": "14:00", "minutes": 30, "room": "Oak",
               "people": []},
    },
    "row": {"R1": {"sheet": "Stock", "item": "rulers", "count": 4, "minimum": 10, "shelf": "A1"}},
    "ticket": {
        "T1": {"title": "Lamp flickers", "customer": "Velo", "priority": "low", "assignee": "Ada Falk",
               "due": "2031-03-20", "status": "waiting", "notes": [], "answers": []},
    },
}  # fmt: skip
SHEETS, TODAY = {"Stock": ["item", "count", "minimum", "shelf"]}, "2031-03-04"


def made(level: int):
    return gym.make(ID, level=level, disable_env_checker=True).unwrapped


def world() -> World:
    return World(STATE, SHEETS, TODAY)


def seeds(level: int, count: int):
    env = made(level)
    for seed in range(count):
        env.reset(seed=seed, options={"split": "train" if seed % 4 == 3 else "eval"})
        yield env


# --- a second solver: who is meant, and what then has to be so, read from the tables alone ---


def meets(row, column, how, wanted) -> bool:
    cell = row.get(column)
    return {
        "is": lambda: cell == wanted, "has": lambda: wanted in cell, "not": lambda: cell != wanted,
        "under": lambda: cell < wanted,
    }[how]()  # fmt: skip


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_words_mean_these_rows_and_no_others(level):
    for env in seeds(level, 40):
        task = env.task
        for job in (job for turn in task.reference for job in turn):
            for table, conditions, ids in job["about"]:
                rows = {
                    key: row
                    for key, row in task.data["state"][table].items()
                    if all(meets(row, *c) for c in conditions if c[1] not in ("newest", "oldest"))
                }
                way = next((how for _, how, _ in conditions if how in ("newest", "oldest")), None)
                if way is not None:
                    best = (max if way == "newest" else min)(row["date"] for row in rows.values())
                    rows = {key: row for key, row in rows.items() if row["date"] == best}
                assert list(rows) == ids


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_what_is_wanted_comes_about_by_its_calls_in_any_order_of_jobs(level):
    for env in seeds(level, 40):
        jobs = [job for turn in env.task.reference for job in turn if not job["forbidden"]]
        goal, data = goal_of(env.task), env.task.data
        for order in (jobs, jobs[::-1]):
            office = World(data["state"], data["sheets"], data["today"])
            results = [office.call(name, args) for job in order for name, args in job["acts"]]
            if any("error" in result for result in results):
                assert order is not jobs, "only another order may need a room that is not free yet"
                continue
            assert all(goal.held(office.state))
            assert goal.wrong(office.state) == 0


@pytest.mark.parametrize("level", [2, 5])
def test_nothing_has_to_be_guessed(level):
    """All that goes into a call was said by the user, or shown by a result."""
    for env in seeds(level, 10):
        heard, done = env.observations[0], False
        while not done:
            reply = env.oracle()
            if reply[0] == "{":
                for name, value in json.loads(reply)["arguments"].items():
                    for item in (
                        value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
                    ):
                        told = str(item).casefold() in heard.casefold()
                        derived = name in ("day", "due", "title", "value", "notes") and not str(item).isalpha()
                        assert told or derived or name == "sheet" or name == "from", (reply, heard[-600:])
            observation, _, done, _, _ = env.step(reply)
            heard += observation


def candidates(env, function, name, form) -> list:
    """Values that a call might well have: what the request says, and the ids that there are."""
    state = env.task.data["state"]
    if name.endswith("_id"):
        return list(state[function.table])
    if "enum" in form:
        return form["enum"]
    if form["type"] == "boolean":
        return [True]
    said = env.observations[0]
    gold = [args.get(name) for turn in env.task.reference for job in turn for _, args in job["acts"]]
    quoted = re.findall(r'"([^"]+)"', said)
    return [value for value in dict.fromkeys(map(json.dumps, [*gold, *quoted[:3]])) if value != "null"]


def test_a_search_over_single_calls_finds_one_right_state_and_no_other():
    found = 0
    for env in seeds(1, 60):
        goal, data = goal_of(env.task), env.task.data
        right = set()
        for tool in env.task.tools:
            function = FUNCTIONS[tool["function"]["name"]]
            if function.reads or function.op in ("new_row", "new_event"):
                continue
            forms = tool["function"]["parameters"]["properties"]
            pools = [candidates(env, function, name, forms[name]) for name in forms]
            for values in product(*pools):
                args = {
                    n: json.loads(v) if isinstance(v, str) and v[:1] in '"0123456789' else v
                    for n, v in zip(forms, values, strict=True)
                }
                if fault(tool["function"]["parameters"], args) is not None:
                    continue
                office = World(data["state"], data["sheets"], data["today"])
                office.call(function.name, args)
                if all(goal.held(office.state)) and goal.wrong(office.state) == 0:
                    right.add(
                        canonical_json(
                            {
                                t: sorted(canonical_json({c: norm(v) for c, v in row.items()}) for row in rows.values())
                                for t, rows in office.state.items()
                            }
                        )
                    )
        assert len(right) <= 1
        found += len(right)
    assert found >= 30


# --- the applications ---


def test_functions_do_what_their_names_say():
    office = world()
    assert office.call("search_mail", {"from": "falk"})[0]["id"] == "M1"
    assert office.call("search_mail", {"unread": False}) == []
    assert office.call("read_mail", {"mail_id": "M9"})["error"]
    office.call("forward_mail", {"mail_id": "M1", "to": "Ivan Berg"})
    office.call("reply_to_mail", {"mail_id": "M1", "text": "Fine"})
    sent = [row for key, row in office.state["mail"].items() if key != "M1"]
    assert [(row["to"], row["subject"], row["text"]) for row in sent] == [
        ("Ivan Berg", "Fwd: Keys", "Hi."), ("Ada Falk", "Re: Keys", "Fine"),
    ]  # fmt: skip
    assert office.call("sum_column", {"sheet": "Stock", "column": "count"}) == {"sum": 4}
    assert "Stock" in office.call("read_sheet", {"sheet": "Stocks"})["error"]
    assert "minimum" in office.call("set_cell", {"row_id": "R1", "column": "min", "value": 3})["error"]
    office.call("clear_row", {"row_id": "R1"})
    assert office.state["row"]["R1"] == {"sheet": "Stock", "item": None, "count": None, "minimum": None, "shelf": None}
    assert STATE["row"]["R1"]["count"] == 4, "the task is not written to"


def test_a_room_is_not_given_twice():
    office = world()
    assert "taken" in office.call("move_event", {"event_id": "E1", "start": "13:30"})["error"]
    assert office.call("move_event", {"event_id": "E1", "start": "13:00"}) == {"done": "E1"}
    assert "taken" in office.call("copy_event", {"event_id": "E2", "day": "2031-03-05"})["error"]
    assert "HH:MM" in office.call("move_event", {"event_id": "E1", "start": "noon"})["error"]


def test_people_are_invited_once():
    office = world()
    assert "already" in office.call("invite_person", {"event_id": "E1", "people": "Ada Falk"})["error"]
    assert "not invited" in office.call("uninvite_person", {"event_id": "E2", "people": "Ada Falk"})["error"]
    office.call("uninvite_person", {"event_id": "E1", "people": "Ada Falk"})
    assert office.state["event"]["E1"]["people"] == ["Ivan Berg"]


# --- the goal ---

WANT = [{"table": "ticket", "id": "T1", "push": {"notes": "Sent a lid"}}, {"table": "mail", "id": "M1", "gone": True}]


def test_texts_are_compared_by_what_they_say():
    assert norm(" Sent  a LID. ") == norm("sent a lid")
    assert norm(12) == norm("12")
    assert norm("9:00") == norm("09:00")
    assert norm("") is norm(None) is None
    assert norm(["b", "a"]) == norm(["A", "b"])
    assert norm(True) is not norm("true")


def test_each_change_counts_and_each_stray_row_counts_against():
    goal, office = Goal(STATE, WANT, TODAY), world()
    assert goal.held(office.state) == [False, False]
    office.call("add_note", {"ticket_id": "T1", "notes": "sent a lid."})
    office.call("delete_mail", {"mail_id": "M1"})
    assert goal.held(office.state) == [True, True]
    assert goal.wrong(office.state) == 0
    office.call("set_priority", {"ticket_id": "T1", "priority": "high"})
    assert goal.wrong(office.state) == 1
    office.call("save_draft", {"to": "x", "subject": "y", "text": "z"})
    office.call("delete_row", {"row_id": "R1"})
    assert goal.wrong(office.state) == 3


def test_two_equal_new_rows_are_not_one():
    letter = {
        "folder": "sent",
        "from": "me",
        "to": "Ada Falk",
        "subject": "a",
        "text": "b",
        "unread": False,
        "starred": False,
    }
    goal, office = Goal(STATE, [{"table": "mail", "new": letter}] * 2, TODAY), world()
    args = {"to": "Ada Falk", "subject": "a", "text": "b"}
    office.call("send_mail", args)
    assert goal.held(office.state) == [True, False]
    office.call("send_mail", args)
    assert goal.held(office.state) == [True, True]
    office.call("send_mail", args)
    assert goal.wrong(office.state) == 1


# --- policies ---


@pytest.mark.parametrize(
    ("kind", "value", "call", "allowed"),
    [
        ("contracts", None, ("move_mail", {"mail_id": "M1", "folder": "trash"}), True),
        ("young", None, ("delete_mail", {"mail_id": "M1"}), False),
        ("no mail", "Ada Falk", ("reply_to_mail", {"mail_id": "M1", "text": "x"}), False),
        ("no mail", "Ada Falk", ("save_draft", {"to": "Ada Falk", "subject": "x", "text": "x"}), True),
        ("room", "Oak", ("change_room", {"event_id": "E1", "room": "Oak"}), False),
        ("hours", None, ("move_event", {"event_id": "E1", "start": "9:30"}), False),
        ("hours", None, ("move_event", {"event_id": "E1", "day": "2031-03-06"}), True),
        ("kept meeting", "Ivan Berg", ("cancel_event", {"event_id": "E1"}), False),
        ("kept meeting", "Ivan Berg", ("cancel_event", {"event_id": "E2"}), True),
        ("large meeting", None, ("move_event", {"event_id": "E1", "start": "12:00"}), True),
        ("sheet", "Stock", ("set_cell", {"row_id": "R1", "column": "count", "value": 2}), False),
        ("rows stay", "Stock", ("clear_row", {"row_id": "R1"}), True),
        ("rows stay", "Stock", ("delete_row", {"row_id": "R1"}), False),
        ("waiting", None, ("set_due_date", {"ticket_id": "T1", "due": "2031-04-01"}), False),
        ("noted", None, ("solve_ticket", {"ticket_id": "T1"}), False),
        ("full desk", "Ada Falk", ("assign_ticket", {"ticket_id": "T1", "assignee": "Ada Falk"}), False),
        ("urgent", None, ("set_priority", {"ticket_id": "T1", "priority": "urgent"}), False),
        ("urgent", None, ("set_priority", {"ticket_id": "T1", "priority": "high"}), True),
        ("answers", "Velo", ("answer_customer", {"ticket_id": "T1", "answers": "x"}), False),
        ("answers", "Velo", ("add_note", {"ticket_id": "T1", "notes": "x"}), True),
    ],
)
def test_policies_worked_by_hand(kind, value, call, allowed):
    assert forbidden([{"kind": kind, "value": value}], *call, STATE, TODAY) is not allowed


@pytest.mark.parametrize("level", [3, 4, 5])
def test_a_policy_forbids_some_tasks_a_part_and_the_others_nothing(level):
    barred = 0
    for env in seeds(level, 50):
        data = env.task.data
        assert 1 <= len(data["policies"]) <= SHAPES[level].policies
        assert all(policy["text"] in env.observations[0] for policy in data["policies"])
        jobs = [job for turn in env.task.reference for job in turn]
        for job in jobs:
            bars = [forbidden(data["policies"], n, a, data["state"], data["today"]) for n, a in job["acts"]]
            assert all(bars) if job["forbidden"] else not any(bars)
        barred += any(job["forbidden"] for job in jobs)
    assert 0.15 * 50 <= barred <= 0.8 * 50


def test_every_policy_is_said_in_two_ways_and_stands_in_some_task():
    assert all(len(set(policy.texts)) >= 2 for policy in POLICIES.values())
    seen = {policy["kind"] for env in seeds(3, 150) for policy in env.task.data["policies"]}
    assert seen == set(POLICIES)


# --- words ---


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("Done.", "done"),
        ("All tasks are done. Is there anything else?", "done"),
        ("Refused: the policy forbids it.", "refused"),
        ("Everything is done except the meeting: cancelling it is against the policy.", "refused"),
        ("I moved the mail. The rest is not allowed.", "refused"),
        ("That is not allowed. Shall I go on with the rest?", "question"),
        ("At what time should it start?", "question"),
        ("I will look for it now.", "other"),
        ("The task is not done yet.", "other"),
    ],
)
def test_what_words_mean(text, means):
    assert meaning(text) == means


def test_the_user_answers_what_was_left_unsaid_and_only_that():
    ask = {"words": ["time", "start"], "question": "", "answer": "At 10:00."}
    assert answered("What TIME is it to be?", [ask]) == ["At 10:00."]
    assert answered("Which room?", [ask]) == []


def asks(env):
    return [job["ask"] for job in env.task.reference[0] if job["ask"]]


def test_an_answer_is_needed_and_given_on_a_question():
    env = next(env for env in seeds(2, 200) if asks(env))
    ask = asks(env)[0]
    assert ask["answer"] not in env.observations[0]
    _, _, done, _, info = env.step("What is the weather like?")
    assert (done, info["error"]) == (False, "needless_question")
    observation, _, done, _, info = env.step(ask["question"])
    assert ask["answer"] in observation
    assert info["error"] is None


def test_asking_for_what_was_said_is_an_error_that_changes_nothing():
    env = next(env for env in seeds(2, 50) if not asks(env))
    _, reward, done, _, info = env.step("Could you tell me more?")
    assert (reward, done, info["error"]) == (0.0, False, "needless_question")


# --- episodes ---


def play(env, skip=None):
    done, info = False, {}
    while not done:
        reply = env.oracle()
        _, _, done, _, info = env.step(skip(reply) if skip else reply)
    return info


def test_done_where_a_refusal_is_due_is_a_wrong_end_and_the_other_way_round():
    kinds = set()
    for env in seeds(3, 30):
        due = any(job["forbidden"] for job in env.task.reference[0])
        info = play(
            env, lambda reply: {"Done.": "Refused: no."}.get(reply, "Done." if reply[:7] == "Refused" else reply)
        )
        assert not info["success"]
        assert info["error"] == "wrong_end"
        assert (info["progress"] < 1.0) == due
        kinds.add(due)
    assert kinds == {True, False}


def test_doing_what_is_forbidden_is_named_and_loses():
    env = next(e for e in seeds(3, 60) if any(j["forbidden"] for j in e.task.reference[0]))
    job = next(job for job in env.task.reference[0] if job["forbidden"])
    info = env.step(calls_to_action((Call(*job["acts"][0]),)))[4]
    assert info["error"] == "forbidden_call"
    assert not play(env)["success"]


def test_instalments_come_one_after_the_other():
    env = next(env for env in seeds(5, 10) if len(env.task.data["turns"]) > 1)
    turns = env.task.data["turns"]
    assert turns[0] in env.observations[0]
    assert turns[1] not in env.observations[0]
    observation, _, done, _, _ = env.step("Done.")
    assert (observation, done) == (turns[1], False)


def test_errors_are_named_at_their_turn():
    env = next(env for env in seeds(3, 20) if "search_mail" in {spec["function"]["name"] for spec in env.task.tools})

    def said(name, **arguments):
        return env.step(calls_to_action((Call(name, arguments),)))[4]["error"]

    assert said("no_such_tool") == "unknown_tool"
    assert said("search_mail", sender="x") == "bad_arguments"
    changing = next(
        s["function"] for s in env.task.tools if any(n.endswith("_id") for n in s["function"]["parameters"]["required"])
    )
    args = {name: "X0" for name in changing["parameters"]["required"] if name.endswith("_id")}
    if len(args) == len(changing["parameters"]["required"]):
        assert said(changing["name"], **args) in ("failed_call", "wrong_tool")
    assert env.step("Done.")[4]["error"] in ("unfinished", "wrong_end")


def test_the_larger_levels_take_more_turns():
    lengths = {}
    for level in (1, 3, 5):
        lengths[level] = []
        for env in seeds(level, 8):
            play(env)
            lengths[level].append(len(env.replies))
    means = [sum(lengths[level]) / 8 for level in (1, 3, 5)]
    assert means == sorted(means)
    assert means[2] > 12
    assert max(lengths[5]) <= 40


def test_functions_have_a_description_and_their_twins():
    assert sum(len(functions) for functions in APPS.values()) == len(FUNCTIONS)
    assert all(name in FUNCTIONS for pair in TWINS for name in pair)
    assert all(len(spec(name)["function"]["description"]) > 15 for name in FUNCTIONS)


def test_splits_share_no_written_item():
    for pool in (SUBJECTS, EVENTS, TICKETS, ITEMS):
        assert len(set(pool)) == len(pool)
        assert not set(share(pool, "eval")) & set(share(pool, "train"))


def test_no_sentence_makes_up_more_than_a_fiftieth_of_the_prompts():
    for level in (1, 3):
        seen: Counter[str] = Counter()
        for env in seeds(level, 300):
            said = " ".join(env.task.data["turns"])
            said = re.sub(r'"[^"]*"|\d[\d:-]*', "X", said)
            said = re.sub(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)+\b", "X", said)
            seen.update(set(re.split(r"(?<=[.?!]) ", said)))
        assert max(seen.values()) <= 0.02 * 300 + 8, seen.most_common(4)
