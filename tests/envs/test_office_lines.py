"""The office desk: lines of several commands, answers in words, hostile patterns, several ids, ``done`` on its own."""

from __future__ import annotations

import pytest

from acgym.envs.world.office.desk import Desk, same_answer
from acgym.envs.world.office.env import OfficeDesk
from acgym.envs.world.office.filters import matcher
from acgym.envs.world.office.terminal import run
from acgym.envs.world.office.tree import Refused, Tree
from acgym.types import Task
from tests.helpers.cost import growth

FILES = {"/data/customers.csv": "customer,contact\nAcorn,Ann\n", "/a.txt": "x\n"}
NOPE = "cat: /nope: No such file or directory"


def printed(line):
    """Run a line; return what it prints, the kind of mistake, and the files."""
    tree = Tree(FILES, ["/tmp"])
    try:
        return run(tree, line, {}), None, tree.files
    except Refused as refused:
        return str(refused), refused.kind, tree.files


@pytest.mark.parametrize(
    ("line", "shown", "kind"),
    [
        ("cat /nope; pwd", f"{NOPE}\n/", "no_such_file"),
        ("pwd; cat /nope; cat a.txt", f"/\n{NOPE}\nx", "no_such_file"),
        ("cat /nope && pwd", NOPE, "no_such_file"),
        ("cat /nope && pwd && pwd; cat a.txt", f"{NOPE}\nx", "no_such_file"),
        ("frob; cat /nope", f"frob: command not found\n{NOPE}", "unknown_command"),
        ("cat /nope /data/customers.csv", f"{NOPE}\n{FILES['/data/customers.csv']}".rstrip("\n"), "no_such_file"),
        ("cat /nope /a.txt && pwd", f"{NOPE}\nx", "no_such_file"),
        ("cat /nope /nil", f"{NOPE}\n{NOPE.replace('nope', 'nil')}", "no_such_file"),
        ("cat /nope /a.txt | wc -l", f"{NOPE}\n1", "no_such_file"),
        ("ls /nope /a.txt", "ls: cannot access '/nope': No such file or directory\n/a.txt", "no_such_file"),
        ("grep zebra /a.txt && pwd", "", None),
        ("grep zebra /a.txt; pwd", "/\n", None),
        ("grep x /a.txt && pwd", "x\n/\n", None),
        ("grep -c zebra /a.txt && pwd", "0\n", None),
        ("grep zebra /a.txt | wc -l && pwd", "0\n/\n", None),
        ("mv /a.txt", "usage: mv FILE... TARGET, cp FILE... TARGET", "bad_usage"),
    ],
)
def test_lines_of_several_commands(line, shown, kind):
    got, found, files = printed(line)
    assert (got, found, files) == (shown, kind, FILES)


def test_what_was_refused_is_not_written_and_the_rest_is():
    assert printed("cat /nope > /a.txt; echo y > /tmp/y")[2] == {**FILES, "/tmp/y": "y\n"}
    assert printed("ls || rm /a.txt; rm /a.txt")[2] == FILES


@pytest.mark.parametrize(
    "said",
    ["6688", "EUR 6688", "6688 EUR", "6688EUR", "€6688", "6688 €", "EUR 6,688", "6 688", "6'688", "6688.00", "6,688.",
     "The total is 6688.", "The total is 6,688 EUR.", "6688 EUR, so 6,688 it is"],
)  # fmt: skip
def test_a_number_may_be_said_in_words(said):
    assert same_answer(said, "6688")


@pytest.mark.parametrize(
    "said",
    ["", "6687", "6687 or 6688", "6688, 6687", "6688 6687", "6687-6688", "-6688", "66,88", "6688k", "1 to 6688", "EUR",
     "not 6688", "It isn't 6688.", "66 88", "6688.5", "nan", "9" * 190],
)  # fmt: skip
def test_another_number_or_several_stay_wrong(said):
    assert not same_answer(said, "6688")


@pytest.mark.parametrize(("said", "same"), [("ann lee.", True), ("Ann Lee or Bo Lee", False), ("Ann", False)])
def test_names_are_compared_whole(said, same):
    assert same_answer(said, "Ann Lee") is same


@pytest.mark.parametrize(
    ("pattern", "line", "hit"),
    [("a.*.*.*b", "axb", True), ("a.*.*b", "ba", False), ("^.*.*b$", "ab", True), (".*.*", "", True),
     ("^a.*.*", "ba", False), (".*.*a$", "ab", False)],
)  # fmt: skip
def test_repeated_anything_means_anything(pattern, line, hit):
    assert matcher(pattern, False, False)(line) is hit


def test_a_hostile_pattern_of_grep_is_matched_in_linear_time():
    """Eight times as long a pattern costs no more over the many lines, where each of its parts once did."""
    tree = Tree({"/long": "abc\n" * 20_000})
    assert growth(lambda n: run(tree, f"grep -c '{'.*' * n}z' /long", {}), 200) < 4


def desk():
    data = {
        "level": 1,
        "today": "1 May 2031",
        "files": {f"/tickets/T-{n}.txt": f"{n}\n" for n in (257, 258)},
        "folders": ["/tmp"],
        "staff": ["Ann Lee", "Bo Lee"],
        "tickets": ["T-257", "T-258"],
        "mail": ["M-1", "M-2"],
        "templates": ["copy"],
        "jobs": 2,
        "plan": [],
    }
    return Task("by hand", "1. See the test.", data, [["answer", "2", "6688"]])


def opened():
    class Fixed(OfficeDesk):
        def draw_task(self, draw, split):
            return desk()

    env = Fixed(level=1)
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("said", ["EUR 6688", "€6688", "EUR 6,688", "The total is 6688."])
def test_an_answer_in_words_ends_a_day_well(said):
    env = opened()
    env.step(f"Action: answer 2 {said}")
    assert env.step("done")[4]["success"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [("pwd; done", "/\ndone must stand alone"), ("ls /tickets && done", "T-257.txt\nT-258.txt\ndone must stand alone"),
     ("done; pwd", "done must stand alone\n/"), ("pwd;done", "/\ndone must stand alone")],
)  # fmt: skip
def test_done_must_stand_alone(line, shown):
    told, _, terminated, _, info = opened().step(f"Action: {line}")
    assert (told, terminated, info["error"]) == (shown, False, "bad_usage")


@pytest.mark.parametrize(
    ("line", "shown", "tickets"),
    [
        ("ticket approve T-257.", "T-257: approve\n", {"T-257": "approve"}),
        ("ticket approve T-257 T-258", "T-257: approve\nT-258: approve\n", {"T-257": "approve", "T-258": "approve"}),
        ("ticket hold T-257, T-258.", "T-257: hold\nT-258: hold\n", {"T-257": "hold", "T-258": "hold"}),
        ("ticket approve T-257 T-9", "T-257: approve\nignored: T-9\n", {"T-257": "approve"}),
        ("ticket assign T-258 and T-257 Bo Lee.", "T-258: assign Bo Lee\nT-257: assign Bo Lee\n",
         {"T-258": "assign Bo Lee", "T-257": "assign Bo Lee"}),
        ("mail reply M-1. copy.", "M-1: reply copy\n", {}),
        ("mail reply M-1 M-2 copy", "M-1: reply copy\nM-2: reply copy\n", {}),
    ],
)  # fmt: skip
def test_ids_with_marks_and_several_ids(line, shown, tickets):
    task = desk()
    one = Desk(task.data, task.reference)
    assert (one.run(line), one.tickets) == (shown, tickets)


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("ticket frob T-257", "usage: ticket list, ticket approve ID, ticket reject ID, ticket hold ID, "
         "ticket assign ID NAME, ticket show ID"),
        ("ticket assign T-257", "usage: ticket assign ID NAME"),
        ("mail frob M-1", "usage: mail list, mail reply ID TEMPLATE, mail forward ID NAME, mail show ID"),
        ("mail reply M-1", "usage: mail reply ID TEMPLATE"),
        ("rm", "usage: rm FILE..."),
        ("mkdir", "usage: mkdir [-p] FOLDER..."),
    ],
)  # fmt: skip
def test_usage_names_the_arguments(line, usage):
    told, *_, info = opened().step(line)
    assert (told, info["error"]) == (usage, "bad_usage")
