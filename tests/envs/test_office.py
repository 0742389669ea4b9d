"""The office desk: its terminal worked by hand, decisions, what may not be changed, hostile lines, the expert."""

from __future__ import annotations

import time

import gymnasium as gym
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.envs.names import words
from acgym.envs.world.office.desk import Desk, same_answer
from acgym.envs.world.office.env import OfficeDesk, read_line
from acgym.envs.world.office.filters import matcher
from acgym.envs.world.office.terminal import run, tokens
from acgym.envs.world.office.tree import MOST_CHARS, Refused, Tree
from acgym.types import Task

ID = "ACB/Desk-v0"
LEVELS = (1, 2, 3, 4, 5)
FILES = {
    "/a/one.txt": "pear\nApple\npear\n10,x\n9,y\n",
    "/a/two.txt": "apple tree\n",
    "/b/c/three.csv": "n,who\n2,Ann\n10,Bo\n1,Cy\n",
}


def tree():
    return Tree(FILES, ["/empty"])


def refusal(one, line):
    """Run a line; return the kind of mistake, None if there was none."""
    try:
        run(one, line, {})
    except Refused as refused:
        return refused.kind
    return None


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("pwd", "/\n"),
        ("ls", "a/\nb/\nempty/\n"),
        ("ls -la /a", "one.txt\ntwo.txt\n"),
        ("cd b/c; pwd; cat three.csv | head -n 1", "/b/c\nn,who\n"),
        ("cd b/c && cat ../../a/two.txt", "apple tree\n"),
        ("cat /a/two.txt /b/c/three.csv | wc -l", "5\n"),
        ("grep pear /a/one.txt | wc -l", "2\n"),
        ("grep -c pear /a/one.txt", "2\n"),
        ("grep -i apple /a/*", "/a/one.txt:Apple\n/a/two.txt:apple tree\n"),
        ("grep -rl ree .", "/a/two.txt\n"),
        ("grep -n '^pear$' a/one.txt", "1:pear\n3:pear\n"),
        ("grep -v pear a/one.txt | grep -v ,", "Apple\n"),
        ("grep -E 'x|tree' -h /a/one.txt /a/two.txt", "10,x\napple tree\n"),
        ("sort -u a/one.txt | head -2", "10,x\n9,y\n"),
        ("tail -n +2 b/c/three.csv | sort -t , -k 1 -n", "1,Cy\n2,Ann\n10,Bo\n"),
        ("tail -n +2 b/c/three.csv | sort -t, -k1nr | cut -d, -f2", "Bo\nAnn\nCy\n"),
        ("sort a/one.txt | uniq -c | grep pear", "      2 pear\n"),
        ("find / -name '*.csv'", "/b/c/three.csv\n"),
        ("find . -type f -name 't*'", "/a/two.txt\n/b/c/three.csv\n"),
        ("echo 'a  b' c", "a  b c\n"),
        ("printf 'x\\ny\\n' > new.txt; cat new.txt; wc -w new.txt", "x\ny\n2 new.txt\n"),
        ("echo 1 > n; echo 2 >> n; cat n", "1\n2\n"),
        ("mkdir -p /d/e; mv a/two.txt d/e; ls d/e; ls a", "two.txt\none.txt\n"),
        ("cp a/two.txt d.txt; cat d.txt", "apple tree\n"),
        ("mv b /empty; cat /empty/b/c/three.csv | wc -l", "4\n"),
        ("rm a/*; ls a", ""),
        ("cat 'a/one.txt' > /dev/null", ""),
        ("grep nothing a/one.txt", ""),
    ],
)
def test_lines_worked_by_hand(line, printed):
    assert run(tree(), line, {}) == printed


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("cat nowhere", "no_such_file"),
        ("cat a", "no_such_file"),
        ("cd a/one.txt", "no_such_file"),
        ("ls x", "no_such_file"),
        ("mv a/one.txt /x/y", "no_such_file"),
        ("mv a/one.txt a", "already"),
        ("cp a b", "no_such_file"),
        ("mv a a/b", "no_such_file"),
        ("mkdir a", "no_such_file"),
        ("mkdir /x/y", "no_such_file"),
        ("rm a", "no_such_file"),
        ("python3 -c 'x'", "unknown_command"),
        ("sudo ls", "unknown_command"),
        ("cat", "bad_usage"),
        ("cat 'a", "bad_usage"),
        ("ls |", "bad_usage"),
        ("ls >", "bad_usage"),
        ("ls || cat x", "bad_usage"),
        ("ls &", "bad_usage"),
        ("head -n x a/one.txt", "bad_usage"),
        ("wc -z a/one.txt", "bad_usage"),
        ("grep", "bad_usage"),
        ("mv a/one.txt", "bad_usage"),
        ("echo x " * 300, "bad_usage"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(line, kind):
    one = tree()
    with pytest.raises(Refused) as refused:
        run(one, line, {})
    assert refused.value.kind == kind
    assert (one.files, one.here) == (FILES, "/")


def test_a_tree_does_not_grow_without_end():
    one = tree()
    one.write("/big", "x" * (MOST_CHARS // 2))
    with pytest.raises(Refused, match="No space"):
        run(one, "cat big big > bigger; cat bigger big > big", {})
    with pytest.raises(Refused, match="too much"):
        run(one, f"cat{' big' * 50}", {})


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(
    words("ls cat grep mv cp a b / a/one.txt > >> | ; && -n -r * ' \" .. . x sort -k cut -f 1 find -name rm cd mkdir")
), max_size=12).map(" ".join))  # fmt: skip
def test_any_line_prints_or_is_refused_and_folders_hold(line):
    one = tree()
    kind = refusal(one, line)
    assert kind is None or kind in OfficeDesk.error_kinds
    assert all((path.rpartition("/")[0] or "/") in one.folders for path in (*one.files, *one.folders))
    assert not set(one.files) & one.folders


@pytest.mark.parametrize("line", ["grep '" + ".*a" * 3000 + "' /a/one.txt", "*" * 15_000, "'" * 15_001, "|" * 300])
def test_hostile_lines_are_read_in_linear_time(line):
    started = time.process_time()
    refusal(tree(), line)
    assert time.process_time() - started < 2


def test_patterns():
    assert matcher("a.*c$", False, False)("xabc")
    assert not matcher("a.*c$", False, False)("abcd")
    assert not matcher("^aba$", False, False)("ab")
    assert matcher("ann", True, True)("Ann,x")
    assert not matcher("ann", True, True)("Anna")
    assert matcher(r"2031\.txt", False, False)("2031.txt")
    assert [token.text for token in tokens("a'b c'd>>e|f")] == ["ab cd", ">>", "e", "|", "f"]


def day(*rows):
    data = {
        "level": 1,
        "today": "1 May 2031",
        "files": {
            "/mail/M-1.txt": "hello\n",
            "/tickets/T-1.txt": "please\n",
            "/templates/copy.txt": "x\n",
            "/old/a.txt": "old\n",
            "/staff/people.csv": "name,team,role\n",
        },
        "folders": ["/shred", "/tmp"],
        "staff": ["Ann Lee", "Bo Lee"],
        "tickets": ["T-1"],
        "mail": ["M-1"],
        "templates": ["copy"],
        "jobs": 2,
        "plan": [],
    }
    return Task("by hand", "1. See the test.", data, [list(row) for row in rows])


class Fixed(OfficeDesk):
    """Opens the task that it is given."""

    def __init__(self, task):
        super().__init__(level=1)
        self.given_task = task

    def draw_task(self, draw, split):
        """Return that task."""
        return self.given_task


def opened(*rows):
    env = Fixed(day(*rows))
    env.reset(seed=0)
    return env


def test_a_day_worked_by_hand():
    env = opened(
        ["ticket", "T-1", "assign Ann Lee"],
        ["mail", "M-1", "reply copy"],
        ["file", "/old/a.txt", None],
        ["file", "/shred/a.txt", "old\n"],
        ["answer", "2", "1,250"],
    )
    script = [
        ("ticket assign T-1 bo", "T-1: assign Bo Lee", 0),
        ("ticket assign T-1 to Ann Lee", "T-1: assign Ann Lee", 1),
        ("mail reply M-1 copy.txt", "M-1: reply copy", 2),
        ("mv /old/a.txt /shred", "(no output)", 4),
        ("answer 2 1250 EUR", "The answer to job 2 is noted.", 5),
        ("echo note > /tmp/mine", "(no output)", 5),
    ]
    for line, printed, held in script:
        told, _, terminated, _, info = env.step(f"Thought: so.\nAction: {line}")
        assert (told, terminated, info["error"]) == (printed, False, None)
        assert info["progress"] == pytest.approx(held / 6)
    told, _, terminated, _, info = env.step("Action: done")
    assert (told, terminated, info["success"], info["progress"]) == ("The day is over. All is done.", True, True, 1.0)


@pytest.mark.parametrize(
    "line",
    ["echo x > /other", "rm /staff/people.csv", "ticket hold T-1", "mail forward M-1 Bo Lee", "echo >> /old/a.txt"],
)
def test_what_nobody_asked_for_spoils_the_day(line):
    env = opened(["answer", "1", "7"])
    env.step("answer 1 7")
    env.step(line)
    told, _, terminated, _, info = env.step("done")
    assert told.startswith("The day is over. This should not have been changed: ")
    assert (terminated, info["success"], info["error"]) == (True, False, "changed_more")
    assert info["progress"] == pytest.approx(1 / 2)


def test_half_a_character_is_answered_in_utf_8():
    env = opened(["answer", "1", "7"])
    for line in ("ls \ud800", "echo \ud800 > /x", "cat /x", "answer 1 7", "done"):
        assert env.step(line)[0] in env.observation_space


def test_done_too_early():
    env = opened(["answer", "1", "7"])
    info = env.step("I have finished all the jobs. Done.")[4]
    assert (info["error"], info["success"], info["progress"]) == ("premature_stop", False, 0.0)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("ticket approve T-9", "unknown_name"),
        ("ticket assign T-1 Lee", "unknown_name"),
        ("ticket frob T-1", "bad_usage"),
        ("mail reply M-1 sorry", "unknown_name"),
        ("mail", None),
        ("ticket list", None),
        ("ticket show T-1", None),
        ("T-1 approve", "unknown_command"),
        ("answer 3 x", "bad_usage"),
        ("answer", "bad_usage"),
    ],
)
def test_office_commands(line, kind):
    env = opened(["answer", "1", "7"])
    assert env.step(line)[4]["error"] == kind
    assert env.desk.extras() == []


def test_a_letter_is_dealt_with_once():
    env = opened(["mail", "M-1", "reply copy"])
    env.step("mail reply M-1 copy")
    assert env.step("mail reply M-1 copy")[4]["error"] == "already"


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ("Action: ls /a", "ls /a"),
        ("I look.\n**Action:** `ls /a`", "ls /a"),
        ("```bash\n$ ls /a\n```", "ls /a"),
        ("ls /a", "ls /a"),
        ("Action:\n```\ncat x | wc -l\n```\nThen more.", "cat x | wc -l"),
        ("", ""),
    ],
)
def test_a_line_is_read_from_a_reply(reply, line):
    assert read_line(reply) == line


@pytest.mark.parametrize("reply", ["", "\n", "Action:", "ls\ncat x\nwc", "\0" * 5000, "x" * 9000])
def test_no_line(reply):
    info = opened(["answer", "1", "7"]).step(reply)[4]
    assert (info["malformed"], info["error"]) == (True, None)


@pytest.mark.parametrize(
    ("said", "value", "same"),
    [("17", "17", True), ("17.0", "17", True), ("ann LEE.", "Ann Lee", True), ("1,250 EUR", "1250", True),
     ("7", "17", False), ("", "17", False), ("nan", "17", False), ("Bo", "Ann", False)],
)  # fmt: skip
def test_answers(said, value, same):
    assert same_answer(said, value) is same


@pytest.mark.parametrize("level", LEVELS)
def test_the_expert_leaves_the_office_as_it_should_be_and_reads_before_she_acts(level):
    env = gym.make(ID, level=level).unwrapped
    for seed in range(8):
        for split in ("eval", "train"):
            _, info = env.reset(seed=seed, options={"split": split})
            assert not any(map(env.desk.holds, info["task"].reference))
            done, steps = False, 0
            while not done:
                reply = env.oracle()
                _, _, done, _, info = env.step(reply)
                assert info["error"] is None, reply
                steps += 1
            assert info["success"]
            assert steps <= 40


def test_splits_share_no_document():
    """But for notes that nobody needs and one-word replies."""
    texts = {"eval": set(), "train": set()}
    for level in (3, 5):
        env = gym.make(ID, level=level).unwrapped
        for split, found in texts.items():
            for seed in range(40):
                data = env.reset(seed=seed, options={"split": split})[1]["task"].data
                found |= {
                    text
                    for path, text in data["files"].items()
                    if path.startswith(("/archive", "/mail", "/tickets", "/incoming", "/staff", "/data"))
                    or path in ("/handbook/mail.txt", "/handbook/keeping.txt", "/handbook/filing.txt")
                }
    assert min(map(len, texts.values())) > 200
    assert not texts["eval"] & texts["train"]


def test_a_state_is_checked_against_files_that_are_wanted():
    desk = Desk(day(["file", "/new.txt", "1\n2\n"]).data, [["file", "/new.txt", "1\n2\n"]])
    desk.run("printf '1\n 2 ' > /new.txt")
    assert desk.holds(["file", "/new.txt", "1\n2\n"])
    assert desk.extras() == []
