"""ACB/ToolQuery: cases worked by hand, a second solver in SQL, and what an answer may look like."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter

import gymnasium as gym
import pytest

from acgym.envs.tools.query.answer import holds, said_right
from acgym.envs.tools.query.evaluate import Unfit, answer_of, compared
from acgym.envs.tools.query.functions import DOMAINS, run, specs, tools
from acgym.envs.tools.query.schema import Names, Pick, Ref
from acgym.envs.tools.query.stock import Stored, share
from acgym.envs.tools.query.tasks import in_words, tables_of
from acgym.envs.tools.voices import TYPOS, VOICES, Voice, dress, kept
from acgym.types import Call, calls_to_action

ID = "ACB/ToolQuery-v0"
SIGNS = {"is": "=", "not": "<>", "over": ">", "under": "<", "min": ">=", "max": "<="}


def made(level: int):
    return gym.make(ID, level=level, disable_env_checker=True).unwrapped


# --- a second solver: the tree as one SQL statement over the stored rows ---


def database(tables) -> sqlite3.Connection:
    base = sqlite3.connect(":memory:")
    for name, rows in tables.items():
        columns = list(next(iter(rows.values())))
        base.execute(f'create table "{name}" ("id", {", ".join(f"{chr(34)}{c}{chr(34)}" for c in columns)})')
        holes = ", ".join("?" * (len(columns) + 1))
        base.executemany(f'insert into "{name}" values ({holes})', [(k, *row.values()) for k, row in rows.items()])
    return base


def table_of(tree, domain) -> str:
    if tree[0] == "all":
        return tree[1]
    inner = table_of(tree[1], domain)
    if tree[0] == "of":
        return tree[2]
    return domain.tables[inner].columns[tree[2]].table if tree[0] == "to" else inner


def condition(column, how, wanted) -> str:
    if how == "in":
        return f"\"{column}\" like '{wanted}-%'"
    text = str(wanted).replace("'", "''")
    return f'"{column}" {SIGNS[how]} ' + (f"'{text}'" if isinstance(wanted, str) else text)


def select(tree, domain) -> str:
    """The ids that a tree of rows means, as a query."""
    kind, table = tree[0], table_of(tree, domain)
    if kind == "all":
        return f'select id from "{table}"'
    inner = select(tree[1], domain)
    if kind == "where":
        return f'select id from "{table}" where id in ({inner}) and {condition(*tree[2:])}'
    if kind == "of":
        return f'select id from "{table}" where "{tree[3]}" in ({inner})'
    if kind == "to":
        at = table_of(tree[1], domain)
        return f'select distinct "{tree[2]}" from "{at}" where id in ({inner}) and "{tree[2]}" is not null'
    if kind in ("minus", "both"):
        return f"select * from ({inner}) {'except' if kind == 'minus' else 'intersect'} {select(tree[2], domain)}"
    if kind == "top":
        best = f'select {tree[3]}("{tree[2]}") from "{table}" where id in ({inner})'
        return f'select id from "{table}" where id in ({inner}) and "{tree[2]}" = ({best})'
    tests = " and ".join([f'x."{tree[3]}" = y.id', *[f"x.{condition(*test)}" for test in tree[4]]])
    number = f'(select count(*) from "{tree[2]}" x where {tests})'
    return (
        f'select id from "{table}" y where id in ({inner}) and {number} = '
        f'(select {tree[5]}({number}) from "{table}" y where id in ({inner}))'
    )


def solve(tree, domain, base):
    """The answer; asserts that there is one and no second."""
    kind = tree[0]
    if kind == "count":
        return base.execute(f"select count(*) from ({select(tree[1], domain)})").fetchone()[0]
    table = table_of(tree[1], domain)
    if kind == "sum":
        return base.execute(
            f'select coalesce(sum("{tree[2]}"), 0) from "{table}" where id in ({select(tree[1], domain)})'
        ).fetchone()[0]
    if kind == "gap":
        sides = [f'(select "{tree[3]}" from "{table}" where id in ({select(side, domain)}))' for side in tree[1:3]]
        return base.execute(f"select cast(abs(julianday({sides[0]}) - julianday({sides[1]})) as integer)").fetchone()[0]
    rows = base.execute(f'select "{tree[2]}" from "{table}" where id in ({select(tree[1], domain)})').fetchall()
    assert len(rows) == 1, rows
    return rows[0][0]


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_second_solver_finds_the_same_answer_and_no_other(level):
    env = made(level)
    for seed in range(40):
        task = env.reset(seed=seed, options={"split": "eval" if seed % 2 else "train"})[1]["task"]
        base = database(task.data["tables"])
        assert solve(task.reference["tree"], DOMAINS[task.data["domain"]], base) == task.reference["answer"], seed
        base.close()


@pytest.mark.parametrize("level", [1, 3, 5])
def test_the_oracle_answers_from_what_results_have_shown_alone(level):
    env = made(level)
    for seed in range(25):
        env.reset(seed=seed)
        right = env.task.reference["answer"]
        env.task.reference["answer"] = None  # the oracle must not look
        done = False
        while not done:
            reply = env.oracle()
            if reply.startswith("Answer: "):
                assert reply == f"Answer: {right}"
                break
            done = env.step(reply)[2]


def test_no_wording_makes_up_more_than_a_fiftieth_of_the_prompts():
    for level in (1, 3, 5):
        env, seen = made(level), Counter()
        for seed in range(300):
            goal = env.reset(seed=seed)[1]["task"].goal
            goal = re.sub(r"\d[\d-]*", "x", goal.lower())
            for name in sorted({str(name).lower() for name in env._names()}, key=len, reverse=True):
                goal = goal.replace(name, "x")
            seen.update(set(re.split(r"(?<=[.?!]) ", goal)))
        assert max(seen.values()) <= 0.02 * 300 + 8, seen.most_common(3)  # three standard deviations of chance


def test_every_domain_has_questions_at_every_level_and_tools_enough():
    assert len(DOMAINS) >= 6
    for name, domain in DOMAINS.items():
        assert 6 <= len(domain.tools) <= 10
        assert {family.level for family in domain.families} == {1, 2, 3, 4, 5}
        prefixes = [table.prefix for table in domain.tables.values()]
        assert len(set(prefixes)) == len(prefixes)
        assert all(len(spec["function"]["description"]) > 20 for spec in specs(name, list(tools(name))))
        for family in domain.families:
            assert len(set(family.wordings)) == len(family.wordings) >= 3
            for wording in family.wordings:
                assert set(re.findall(r"{(\w)}", wording)) == set(family.params), wording
            tables_of(domain, family.tree)


def test_splits_share_no_name():
    for domain in DOMAINS.values():
        for table in domain.tables.values():
            for column in table.columns.values():
                if isinstance(column, Names):
                    assert not set(share(column.pool, "eval")) & set(share(column.pool, "train"))
                    assert len(set(column.pool)) == len(column.pool)


TABLES = {
    "venue": {"V1": {"name": "Alba", "city": "Graz"}, "V2": {"name": "Alba Nova", "city": "Lyon"}},
    "loan": {
        "L1": {"venue": "V1", "sent_on": "2029-01-30", "days_out": 5},
        "L2": {"venue": "V1", "sent_on": "2029-02-02", "days_out": 7},
        "L3": {"venue": "V2", "sent_on": "2028-12-31", "days_out": 7},
    },
}
ALL_LOANS = ["all", "loan"]


@pytest.mark.parametrize(
    ("tree", "answer"),
    [
        (["count", ["of", ["where", ["all", "venue"], "name", "is", "Alba"], "loan", "venue"]], 2),
        (["count", ["where", ALL_LOANS, "sent_on", "in", "2029"]], 2),
        (["sum", ["where", ALL_LOANS, "days_out", "over", 5], "days_out"], 14),
        (["value", ["to", ["top", ALL_LOANS, "sent_on", "min"], "venue"], "name"], "Alba Nova"),
        (["value", ["most", ["all", "venue"], "loan", "venue", [], "max"], "city"], "Graz"),
        (["value", ["most", ["all", "venue"], "loan", "venue", [["days_out", "over", 9]], "max"], "city"], Unfit),
        (["value", ["top", ALL_LOANS, "days_out", "max"], "sent_on"], Unfit),
        (["gap", ["top", ALL_LOANS, "sent_on", "min"], ["top", ALL_LOANS, "sent_on", "max"], "sent_on"], 33),
        (["count", ["minus", ["all", "venue"], ["to", ["where", ALL_LOANS, "days_out", "is", 5], "venue"]]], 1),
    ],
)
def test_trees_worked_by_hand(tree, answer):
    if answer is Unfit:
        with pytest.raises(Unfit):
            answer_of(tree, Stored(TABLES))
    else:
        assert answer_of(tree, Stored(TABLES)) == answer


def test_an_empty_cell_is_only_equal_to_nothing():
    assert compared(None, "is", None)
    assert not any(compared(None, how, 3) for how in ("is", "not", "over", "under", "min", "max", "has", "in"))


def test_lists_come_in_pages_and_an_id_of_another_kind_is_refused():
    domain, by_name = DOMAINS["film archive"], tools("film archive")
    rows = {f"VN{i}": {"name": f"N{i}", "city": "Graz"} for i in range(5)}
    tables = {**{name: {} for name in domain.tables}, "venue": rows}
    first = run(domain, by_name["list_venues"], tables, {}, 2)
    assert (len(first["rows"]), first["page"], first["pages"]) == (2, 1, 3)
    assert run(domain, by_name["list_venues"], tables, {"page": 3}, 2)["rows"] == [{"id": "VN4", **rows["VN4"]}]
    assert "error" in run(domain, by_name["list_venues"], tables, {"page": 4}, 2)
    assert "error" in run(domain, by_name["list_loans"], tables, {"venue_id": "FM1"}, 2)
    assert run(domain, by_name["list_loans"], tables, {"venue_id": "VN1"}, 2) == {"rows": []}


NAMES = ["Alba", "Alba Nova", "The Glass Orchard", "crime"]


@pytest.mark.parametrize(
    ("reply", "wanted", "right"),
    [
        ("Answer: the glass orchard", "The Glass Orchard", True),
        ('**Answer:** "The Glass Orchard" (1961).', "The Glass Orchard", True),
        ("So the answer is The Glass Orchard, which runs longest.", "The Glass Orchard", True),
        ("The Glass Orchard", "The Glass Orchard", True),
        ("Answer: Alba Nova", "Alba Nova", True),
        ("Answer: Alba Nova", "Alba", False),
        ("Answer: Alba or The Glass Orchard", "Alba", False),
        ("Answer: nobody", "Alba", False),
        ("Let me look up Alba.", "Alba", None),
        ("Answer:", "Alba", None),
        ("Answer: 12 loans", 12, True),
        ("Answer: twelve", 12, None),
        ("Answer: 13", 12, False),
        ("Answer: 4 March 2029", "2029-03-04", True),
        ("Answer: 2029", "2029-03-04", False),
    ],
)
def test_answers_are_read_generously_and_once(reply, wanted, right):
    assert said_right(reply, wanted, NAMES) is right


@pytest.mark.parametrize(
    ("reply", "wanted", "found"),
    [
        ("I count 1,200 of them in FM123.", 1200, True),
        ("There are 12, or 13.", 12, False),
        ("It was on 2029-03-04.", "2029-03-04", True),
        ("Probably 4 March 2029", "2029-03-04", True),
        ("The longest one must be The Glass Orchard, I think", "The Glass Orchard", True),
        ("Alba or the glass orchard", "Alba", False),
        ("I do not know.", "Alba", False),
    ],
)
def test_the_right_answer_is_found_in_any_form(reply, wanted, found):
    assert holds(reply, wanted, NAMES) is found


def test_progress_is_half_of_what_was_seen_until_the_answer():
    env = made(1)
    env.reset(seed=0)
    answer = env.task.reference["answer"]
    progress = 0.0
    while not (reply := env.oracle()).startswith("Answer"):
        info = env.step(reply)[4]
        assert progress <= info["progress"] <= 0.5
        progress = info["progress"]
    assert progress == 0.5
    assert env.step(f"Answer: {answer}")[4]["progress"] == 1.0


def test_errors_are_named_at_their_turn():
    env = made(5)
    env.reset(seed=0)

    def said(name, **arguments):
        return env.step(calls_to_action((Call(name, arguments),)))[4]["error"]

    offered = [spec["function"]["name"] for spec in env.task.tools]
    assert said("no_such_tool") == "unknown_tool"
    lists = next(n for n in offered if n.startswith("find_"))
    assert said(lists, nonsense=1) == "bad_arguments"
    assert said(lists, page=90) == "failed_call"
    assert said(lists) is None
    assert said(lists) == "repeated_call"
    assert env.step("Answer: 123456 days")[4]["error"] in ("wrong_answer", None)


def test_a_function_about_something_else_is_a_wrong_tool():
    for seed in range(30):
        env = made(1)
        env.reset(seed=seed)
        domain = DOMAINS[env.task.data["domain"]]
        about = tables_of(domain, env.task.reference["tree"])
        through = {c.table for t in about for c in domain.tables[t].columns.values() if isinstance(c, Ref)}
        for spec in env.task.tools:
            tool = tools(domain.name)[spec["function"]["name"]]
            if not tool.needs:
                strays = tool.table not in about | through
                error = env.step(calls_to_action((Call(tool.name, {}),)))[4]["error"]
                assert (error == "wrong_tool") == strays


def test_words_for_values():
    assert in_words("2030-03-04") == "4 March 2030"
    assert in_words("2030-03") == "March 2030"
    assert in_words("2030") == "2030"
    assert in_words(17) == "17"


class FixedDraw:
    """Always the first, always yes."""

    def pick(self, items):
        return items[0]

    def chance(self, probability):
        return probability > 0


def test_a_voice_alters_no_name():
    voice = Voice("x", ("Hi.",), ("Thanks.",), lower=True, typos=True)
    said = dress(FixedDraw(), voice, [f"Please tell {kept('The Which Please')} about the ticket."])
    assert said == "hi. plese tell The Which Please abuot teh tikcet. thnaks"


def test_who_changes_their_mind_ends_with_what_they_mean():
    voice = next(voice for voice in VOICES if voice.corrects)
    said = dress(FixedDraw(), voice, ["Ask B."], "Ask A.")
    assert said.index("Ask A.") < said.index("Ask B.")
    assert "Ask A." not in dress(FixedDraw(), VOICES[0], ["Ask B."], "Ask A.")


def test_a_sentence_after_a_comma_begins_small_unless_it_is_a_name_or_i():
    voice = Voice("x", ("Dear colleague,",), ("",))
    assert dress(FixedDraw(), voice, ["Count them."]) == "Dear colleague, count them."
    assert dress(FixedDraw(), voice, ["I need them."]) == "Dear colleague, I need them."
    assert dress(FixedDraw(), voice, [f"{kept('Ada')} left."]) == "Dear colleague, Ada left."


def test_there_are_twenty_voices_and_no_misspelling_is_a_word_of_the_list():
    assert len({voice.name for voice in VOICES}) >= 20
    assert not set(TYPOS) & set(TYPOS.values())


def test_words_of_a_few_are_lower_in_number_than_names():
    for domain in DOMAINS.values():
        assert any(isinstance(c, Pick) for table in domain.tables.values() for c in table.columns.values())


def test_results_are_json_lists_for_lists_of_calls():
    env = made(3)
    env.reset(seed=1)
    names = [spec["function"]["name"] for spec in env.task.tools if not spec["function"]["parameters"]["required"]][:2]
    told = json.loads(env.step(calls_to_action(tuple(Call(name, {}) for name in names)))[0])
    assert len(told) == len(names)
