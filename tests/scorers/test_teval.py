"""T-Eval's scores: cases by hand, what the published code gives, properties, hostile replies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym import scorers
from acgym.scorers import instruct_score, plan_f1, retrieve_score, review_score, understand_score
from tests.helpers.cost import growth

PLAN = [
    {"id": 0, "name": "Air.search", "args": {"place": "Oslo"}},
    {"id": 1, "name": "Map.route", "args": {"to": "Oslo"}},
    {"id": 2, "name": "Air.book", "args": {"id": 7}},
    {"id": 3, "name": "FinishAction", "args": {}},
]
TOOLS = ["Air.search", "Map.route", "Air.book", "Air.search_all", "FinishAction"]
JSON_FORM = {"thought": "goal", "action": "name", "args": "args"}
MARKS = {
    "thought_start": "Thought:",
    "thought_end": "\n",
    "action_start": "Action:",
    "action_end": "\n",
    "args_start": "Args:",
    "args_end": "#E",
}
CALL = {"action": "Air.search", "args": {"place": "Oslo", "guests": 2}}
BOTH = pytest.mark.parametrize("compat", [None, "acbench"])


def write(calls: list[dict[str, Any]]) -> str:
    return "The plan: " + json.dumps(calls)


@pytest.mark.parametrize(
    ("reply", "correct", "published"),
    [
        (write(PLAN), 1.0, 1.0),
        (write(PLAN[:3]), 1.0, 1.0),
        (str(PLAN), 1.0, 1.0),
        (write(PLAN[:2]), 2 * 2 / 5, 2 * 2 / 5),
        (write([{**PLAN[1], "id": 0}, {**PLAN[0], "id": 1}]), 2 / 5, 2 / 5),
        (write([{"id": 0, "name": "x", "args": {}}, {"id": 1, "name": "y", "args": {}}]), 0.0, 2 / 5),
        (write([{k: v for k, v in step.items() if k != "id"} for step in PLAN]), 1.0, 0.0),
        (write([{**step, "args": json.dumps(step["args"])} for step in PLAN]), 1.0, 2 / 6),
        (write([PLAN[2], PLAN[0], PLAN[1]]), 1.0, 1.0),  # the ids are the order
        (write([PLAN[3]]), 0.0, 0.0),
        ("[1, 2]", 0.0, 0.0),
        ("no plan", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_plans_by_hand(reply: str, correct: float, published: float) -> None:
    assert plan_f1(reply, PLAN) == pytest.approx(correct)
    assert plan_f1(reply, PLAN, compat="acbench") == pytest.approx(published)


def test_plans_in_sentences_name_one_tool_each() -> None:
    text = "First call Air.search for Oslo. Then use Map.route.\nLast Air.book, not Air.search. FinishAction"
    assert plan_f1(text, PLAN, names=TOOLS) == 1.0
    assert plan_f1("Use Air.search_all. Then Map.route", PLAN, names=TOOLS) == pytest.approx(2 / 5)
    same_name = lambda one, other: float(one == other or " " in one)  # noqa: E731
    assert plan_f1(text, PLAN, names=TOOLS, similarity=same_name, compat="acbench") == 1.0
    assert plan_f1("Use Air.search_all.", PLAN, names=TOOLS, compat="acbench") == pytest.approx(2 / 4)
    assert plan_f1("nothing", PLAN, names=TOOLS) == plan_f1("nothing", PLAN, names=TOOLS, compat="acbench") == 0.0


def test_plans_with_repeated_calls_are_paired_as_well_as_can_be() -> None:
    calls = [{"id": i, "name": "a.b" if i % 2 else "c.d", "args": {}} for i in range(5)]
    assert plan_f1(write(calls), calls) == 1.0
    assert plan_f1(write(calls), calls, compat="acbench") < 1.0


def test_two_plans_without_calls_are_equal() -> None:
    assert plan_f1(write([PLAN[3]]), [PLAN[3]]) == 1.0
    assert plan_f1(write([PLAN[3]]), [PLAN[3]], compat="acbench") == 0.0


@pytest.mark.parametrize(
    ("reply", "form", "correct", "published"),
    [
        ('{"goal": "x", "name": "Air.search", "args": {"place": "Oslo", "guests": 2}}', "json", 1.0, 1.0),
        ('```json\n{"goal": 1, "name": "Air.search", "args": {"place": "Oslo"}}\n```', "json", 5 / 6, 5 / 6),
        ('Here: {"goal": "", "name": "Air.search", "args": {"place": "Oslo", "guests": 2}}', "json", 1.0, 0.0),
        ('{"goal": "", "name": "Air.search", "args": {"place": "Oslo", "guests": 2, "x": 1}}', "json", 7 / 8, 1.0),
        ('{"goal": "", "name": "Air.search", "args": "Oslo"}', "json", (1 + 1 / 3) / 2, (1 + 1 / 3) / 2),
        ('{"goal": "", "name": "Air.search"}', "json", 0.0, 0.0),
        ("Thought:t\nAction: Air.search \nArgs:{'place': 'Oslo', 'guests': 2}#E", "string", 1.0, 1.0),
        ("Thought: t\n \nAction: Air.search\n  Args: {'place': 'Oslo', 'guests': 2}\n#E.", "string", 1.0, 0.0),
        ("Thought:t\nAction:Air.search\nArgs:Oslo#E", "string", (1 + 1 / 3) / 2, (1 + 1 / 3) / 2),
        ("Action:Air.search\nArgs:{}#E", "string", 0.0, 0.0),
        ("", "string", 0.0, 0.0),
    ],
)
def test_instructions_by_hand(reply: str, form: str, correct: float, published: float) -> None:
    template = JSON_FORM if form == "json" else MARKS
    assert instruct_score(reply, CALL, template, response_format=form) == pytest.approx(correct)
    assert instruct_score(reply, CALL, template, response_format=form, compat="acbench") == pytest.approx(published)


def test_a_missing_argument_is_no_empty_text() -> None:
    gold = {"action": "f", "args": {"note": ""}}
    said = '{"goal": "", "name": "f", "args": {}}'
    assert instruct_score(said, gold, JSON_FORM, response_format="json") == 0.75
    assert instruct_score(said, gold, JSON_FORM, response_format="json", compat="acbench") == 1.0


@pytest.mark.parametrize(
    ("reply", "form", "correct", "published"),
    [
        ('{"thought": "", "name": "Air.search"}', "json", 1.0, 1.0),
        ('{"name": "Air.search_all"}', "json", 0.0, 0.0),
        ("Air.search", "string", 1.0, 1.0),
        ("Use Air.search, it costs 3.5 euros.", "string", 1.0, 0.0),
        ("Air.search_all", "string", 0.0, 0.0),
        ("Air.search or Map.route", "string", 0.0, 0.0),
        ("Air.search, then FinishAction", "string", 0.0, 0.0),
        ("", "string", 0.0, 0.0),
    ],
)
def test_tools_by_hand(reply: str, form: str, correct: float, published: float) -> None:
    assert retrieve_score(reply, "Air.search", response_format=form) == correct
    assert retrieve_score(reply, "Air.search", response_format=form, names=TOOLS) == correct
    assert retrieve_score(reply, "Air.search", response_format=form, compat="acbench") == published


@pytest.mark.parametrize(
    ("reply", "gold", "form", "correct", "published"),
    [
        ('{"args": {"a": 1, "b": "x"}}', {"a": 1, "b": "x"}, "json", 1.0, 2 / 2.00001),
        ('{"args": {"a": "1", "b": "x"}}', {"a": 1, "b": "x"}, "json", 0.5, 2 / 2.00001),
        ('{"args": {"a": 1, "b": "x", "c": 0}}', {"a": 1, "b": "x"}, "json", 2 / 3, 2 / 2.00001),
        ('{"args": {}}', {}, "json", 1.0, 1.0),
        ('{"args": {"a": 1}}', {}, "json", 0.0, 0.0),
        ('{"args": {"a": true}}', {"a": 1}, "json", 0.0, 0.0),
        ("nothing", {"a": 1}, "json", 0.0, 0.0),
        ("'Oslo'", "Oslo", "string", 1.0, 1.0),
        (" 'Oslo' ", "Oslo", "string", 1.0, 0.0),
        ("Bergen", "Oslo", "string", 0.0, 0.0),
        ("{'a': 1}", {"a": 1}, "string", 1.0, 1.0),
        ('{"a": 1}', {"a": 1}, "string", 1.0, 0.0),
    ],
)
def test_arguments_by_hand(reply: str, gold: Any, form: str, correct: float, published: float) -> None:
    assert understand_score(reply, gold, response_format=form) == pytest.approx(correct)
    assert understand_score(reply, gold, response_format=form, compat="acbench") == pytest.approx(published)


@pytest.mark.parametrize(
    ("reply", "letter", "published"),
    [
        ("B", "B", "B"),
        ("Answer: B", "B", "B"),
        ("answer is **B**.", "B", None),
        ("(b) the tool failed", "B", None),
        ("A: it worked", "A", None),
        ("First: C is tempting. The answer is D", "D", "C"),
        ("I choose D here", "D", None),
        ('{"answer": "E"}', "E", None),
        ("Because the call failed", None, "B"),
        ("A tool error occurred", None, "A"),
        ("B or C", None, "B"),
        ("E.g. this", None, "E"),
        ("", None, None),
    ],
)
def test_reviews_by_hand(reply: str, letter: str | None, published: str | None) -> None:
    for gold in "ABCDE":
        assert review_score(reply, gold) == float(gold == letter)
        assert review_score(reply, gold, compat="acbench") == float(gold == published)
        assert review_score(reply, gold, response_format="json", compat="acbench") == 0.0


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
                    max_leaves=8)  # fmt: skip
HOSTILE = st.text(max_size=80) | JSON.map(json.dumps) | st.lists(JSON, max_size=3).map(json.dumps)


@BOTH
@given(reply=HOSTILE)
@settings(max_examples=80, deadline=None)
def test_no_reply_raises_and_every_score_is_a_share(compat: str | None, reply: str) -> None:
    for form, template in (("json", JSON_FORM), ("string", MARKS)):
        scores = [
            instruct_score(reply, CALL, template, response_format=form, compat=compat),
            retrieve_score(reply, "Air.search", response_format=form, compat=compat),
            understand_score(reply, {"a": 1}, response_format=form, compat=compat),
            review_score(reply, "A", response_format=form, compat=compat),
        ]
        assert all(0.0 <= score <= 1.0 for score in scores)
    assert 0.0 <= plan_f1(reply, PLAN, compat=compat) <= 1.0
    assert 0.0 <= plan_f1(reply, PLAN, names=TOOLS, compat=compat) <= 1.0


CALLS = st.lists(st.sampled_from(["a.a", "b.b", "c.c"]), min_size=1, max_size=6)


@BOTH
@given(said=CALLS, true=CALLS)
@settings(deadline=None)
def test_names_are_only_names(compat: str | None, said: list[str], true: list[str]) -> None:
    """Renaming all tools alike changes no score."""

    def score(rename: dict[str, str]) -> float:
        plans = [[{"id": i, "name": rename[n], "args": {}} for i, n in enumerate(names)] for names in (said, true)]
        return plan_f1(write(plans[0]), plans[1], compat=compat)

    assert score({"a.a": "x.y", "b.b": "a.a", "c.c": "q.r"}) == score({n: n for n in ("a.a", "b.b", "c.c")})


@given(true=CALLS, cut=st.integers(0, 5))
def test_more_of_the_plan_never_scores_less(true: list[str], cut: int) -> None:
    plan = [{"id": i, "name": name, "args": {}} for i, name in enumerate(true)]
    cut = min(cut, len(plan) - 1)
    assert plan_f1(write(plan[:cut]), plan) <= plan_f1(write(plan[: cut + 1]), plan)


@given(true=st.dictionaries(st.text(max_size=3), st.integers(), min_size=1), wrong=st.booleans())
def test_every_right_argument_counts_and_every_wrong_one_costs(true: dict[str, int], wrong: bool) -> None:
    scores = []
    for count in range(len(true) + 1):
        args = dict(list(true.items())[:count]) | ({"extra!": 0} if wrong else {})
        scores.append(understand_score(json.dumps({"args": args}), true))
    assert scores == sorted(set(scores))
    assert scores[-1] == pytest.approx(len(true) / (len(true) + wrong))


PIECES = [
    *["a", "a.", ".", "[", "{", "(", "-", "\n", " ", "Action:", "\n Args:", "#E", "B ", "1+", "Air.search ", "'", '"'],
    *["answer is ", "[1]", "{}", "Thought:\nAction:\nArgs:#E"],
]


@BOTH
@pytest.mark.parametrize("piece", PIECES)
def test_time_is_in_proportion_to_hostile_text(compat: str | None, piece: str) -> None:
    def call(n: int) -> None:
        text = "{[" + piece * n + "]}"
        plan_f1(text, PLAN, compat=compat)
        plan_f1(text, PLAN, names=TOOLS, compat=compat)
        instruct_score(text, CALL, MARKS, response_format="string", compat=compat)
        instruct_score(text, CALL, JSON_FORM, response_format="json", compat=compat)
        retrieve_score(text + "Air.search", "Air.search", response_format="string", compat=compat)
        understand_score(text, {"a": 1}, compat=compat)
        review_score(text, "A", compat=compat)

    assert growth(call, 500) < 24


def test_wrong_arguments_are_answered_with_what_was_expected() -> None:
    for call, words in (
        (lambda: plan_f1("", PLAN, compat="x"), "compat must be None or 'acbench', got 'x'"),
        (lambda: review_score("", "A", response_format="str"), "response_format must be 'json' or 'string', got 'str'"),
        (lambda: instruct_score("", CALL, JSON_FORM, response_format="string"), "lacks .*thought_start"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_the_door_offers_all_scorers() -> None:
    assert all(callable(getattr(scorers, name)) for name in scorers.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        scorers.nothing  # noqa: B018
