"""The six abilities of tool use: replies by hand, both forms, anchors of what is blind, and a second solver."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import permutations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.draw import Draw
from acgym.envs.tools.abilities.formats import draw_format, read_formatted, tell_format, write_calls
from acgym.envs.tools.abilities.ordering import ordered
from acgym.envs.tools.abilities.replies import FORMS, read_call, read_items, read_names, write_call, write_items
from acgym.envs.tools.abilities.review import PRESSED, WITHDRAWN
from acgym.envs.tools.library.match import alike, holds, share
from acgym.envs.tools.library.model import domains, tools
from acgym.suites import suite_named
from acgym.types import Call

IDS = tuple(f"ACB/Tool{name}-v0" for name in ("Instruct", "Plan", "Reason", "Retrieve", "Understand", "Review"))
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "name": {"type": "string"}, "mode": {"type": "string", "default": "a"}},
    "required": ["n"],
}


_SAID = re.compile(r"^(?:Request(?: \d+)?: |Call \d+\. Request: |The user wants: |\d+\. (?=\S))(.*)$", re.M)


def user_texts(told):
    """What users say in a prompt."""
    head, mark, tail = re.sub(r"\d users want:", "The user wants:", told).partition("The user wants:\n")
    return [tail] if mark and not re.match(r"\d+\. ", tail) else _SAID.findall(tail or head)


def skeletons(text):
    """The sentences of a text without what is drawn: words with digits or a capital letter inside the sentence."""
    for sentence in re.split(r"(?<=[.!?:]) +", text):
        words = sentence.split()
        yield " ".join(w for i, w in enumerate(words) if i == 0 or (w == w.lower() and not any(c.isdigit() for c in w)))


def made(env_id, **kwargs):
    return gym.make(env_id, disable_env_checker=True, **kwargs).unwrapped


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", [1, 3, 5])
@pytest.mark.parametrize("env_id", IDS)
def test_the_oracle_is_right_in_both_forms_and_what_is_out_of_form_is_only_found(env_id, level, form):
    env = made(env_id, level=level, form=form)
    other = made(env_id, level=level, form="string" if form == "json" else "json")
    for seed in range(12):
        for split in ("eval", "train"):
            env.reset(seed=seed, options={"split": split})
            _, reward, ended, _, info = env.step(env.oracle())
            assert (reward, ended, info["success"], info["found"]) == (1.0, True, True, True)
        if env_id == "ACB/ToolInstruct-v0":
            continue
        env.reset(seed=seed)
        other.reset(seed=seed)
        other._task = env.task
        info = env.step(other.oracle())[4]
        if info["malformed"]:
            assert info["found"]
            assert not info["success"]


@pytest.mark.parametrize("env_id", IDS)
def test_words_around_an_answer_do_not_matter(env_id):
    for form in FORMS:
        env = made(env_id, level=3, form=form)
        env.reset(seed=4)
        said = env.oracle()
        if env_id == "ACB/ToolInstruct-v0":
            said = f"```\n{said}\n```"
        else:
            said = f"Here is what I think.\n```json\n{said}\n```\nI hope that helps." if form == "json" else said + "\n"
        assert env.step(said)[4]["success"]


@pytest.mark.parametrize("env_id", IDS)
def test_a_form_that_does_not_exist_is_refused(env_id):
    with pytest.raises(ValueError, match="form must be 'json' or 'string', got 'xml'"):
        made(env_id, form="xml")


@pytest.mark.parametrize("number", [5, 17, 128])
def test_any_number_of_tools_can_be_asked_for(number):
    env = made("ACB/ToolRetrieve-v0", n_tools=number)
    for seed in range(5):
        told, _ = env.reset(seed=seed)
        listed = told.partition("Tools:\n")[2].partition("\nRequests:")[0].split("\n")
        assert len(listed) == len(set(listed))
        assert min(number, len(tools("eval")) - 9) <= len(listed) <= number
        assert {name for name in env.task.reference if name != "none"} <= {
            line[2:].partition("(")[0] for line in listed
        }
        assert env.anchor is None
        assert env.heuristic_reply() is None


@pytest.mark.parametrize("number", [4, 129, True, 7.0])
def test_a_number_of_tools_that_cannot_be_is_refused(number):
    with pytest.raises(ValueError, match="n_tools must be None or an integer from 5 to 128"):
        made("ACB/ToolRetrieve-v0", n_tools=number)


def test_arguments_are_compared_by_what_they_mean():
    gold = {"n": 3, "name": "Ann"}
    assert share(SCHEMA, gold, {"n": 3.0, "name": " ann "}) == 1.0
    assert share(SCHEMA, gold, {"n": 3, "name": "Ann", "mode": "a"}) == 1.0  # its default
    assert share(SCHEMA, gold, {"n": 3, "name": "Ann", "mode": None}) == 1.0
    assert share(SCHEMA, gold, {"n": 3, "name": "Ann", "mode": "b"}) == pytest.approx(2 / 3)
    assert share(SCHEMA, gold, {"n": "3", "name": "Ann"}) == 0.5
    assert holds(gold, {"n": "3", "name": "ann.", "x": 1}) is False  # a point may matter
    assert holds(gold, {"n": "3", "name": "ANN", "x": 1})
    assert share(SCHEMA, {}, {}) == 1.0
    assert alike([1, 2], [2, 1])
    assert not alike(True, 1)


def test_a_plan_counts_in_every_order_that_can_be():
    names, before = ["look", "book", "seat", "look"], [set(), {0}, {0, 1}, set()]
    for said in permutations(range(4)):
        order = [names[i] for i in said]
        fits = any(
            all(p.index(j) < p.index(i) for i in range(4) for j in before[i])
            for p in permutations(range(4))
            if [names[i] for i in p] == order
        )
        assert (ordered(names, before, order) == 4) == fits, order
    assert ordered(names, before, ["seat", "book", "look"]) == 2  # the other look
    assert ordered(names, before, ["other", "look", "seat"]) == 2
    assert ordered(names, before, []) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcx"), max_size=7), st.integers(0, 2**6 - 1))
def test_the_kept_part_of_a_plan_is_the_largest_one(said, bits):
    names = ["a", "b", "c", "a"]
    pairs = [(i, j) for i in range(4) for j in range(i)]
    before = [set(), set(), set(), set()]
    for k, (i, j) in enumerate(pairs):
        if bits >> k & 1:
            before[i] |= {j} | before[j]

    def fits(chosen):
        return all(chosen[b] not in before[chosen[a]] for a in range(len(chosen)) for b in range(a + 1, len(chosen)))

    def best(at, taken):
        if at == len(said):
            return len(taken) if fits(taken) else 0
        options = [best(at + 1, taken)]
        options += [best(at + 1, [*taken, i]) for i in range(4) if names[i] == said[at] and i not in taken]
        return max(options)

    assert ordered(names, before, said) <= best(0, [])
    if len(said) == len(set(said)):
        assert ordered(names, before, said) == best(0, [])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", [1, 2, 3, 5])
def test_calls_are_read_back_from_every_form(form, level):
    calls = [Call("f", {"a": 1, "b": 'x; "y" = z', "c": [{"d": True}]}), Call("g_h", {})]
    for seed in range(60):
        draw = Draw(np.random.default_rng(seed))
        row = draw_format(draw, form, level)
        assert read_formatted(form, row, write_calls(form, row, calls, "Because.")) == calls
        assert read_formatted(form, row, write_calls(form, row, calls[:1], "")) is None
        assert read_formatted(form, row, "no call") is None
        told = tell_format(draw, form, row, 2, example=level < 3)
        assert "{" not in told.replace("{{", "") or level < 3 or form == "string"


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="{}[]:,.;=()<>/\"'\\ \n1a#@-", max_size=60), st.sampled_from(FORMS), st.integers(0, 30))
def test_no_reply_makes_a_reader_raise(text, form, seed):
    row = draw_format(Draw(np.random.default_rng(seed)), form, 3)
    read_formatted(form, row, text)
    read_items(text, form, 2)
    read_names(text, form, ["a", "a1"])
    read_call(text)


@pytest.mark.parametrize("env_id", IDS)
def test_hostile_replies_cost_little(env_id):
    env = made(env_id, level=3)
    string = made(env_id, level=3, form="string")
    for text in ("[" * 20_000, '{"1": ' * 3_000, "1: a\n" * 4_000, "get_timetable\n" * 1_400, "f(" * 10_000):
        for one in (env, string):
            one.reset(seed=1)
            assert not one.step(text)[4]["success"]


def test_numbered_answers_are_read_generously():
    assert read_items('{"1": "a", "2": 3}', "json", 2) == ["a", 3]
    assert read_items('Sure! ```json\n["a", 3]\n```', "json", 2) == ["a", 3]
    assert read_items('{"1": "a"}', "json", 2) == ["a", None]
    assert read_items("nothing", "json", 2) is None
    assert read_items("**1**: `a`\n2) b c\n", "string", 2) == ["a", "b c"]
    assert read_items("Answer 1: a", "string", 1) == ["a"]
    assert read_items("a", "string", 1) == ["a"]
    assert read_items("a", "string", 2) is None
    assert read_names("1. first\n2: `second_one` (then)\n", "string", ["first", "second_one"]) == [
        "first",
        "second_one",
    ]
    assert read_names('[{"name": "First()"}, "x"]', "json", ["first"]) == ["first", "x"]
    call = read_call(write_call("f", {"a": "x, y", "b": [1, {"c": True}]}))
    assert call is not None
    assert (call.name, call.arguments["a"]) == ("f", "x, y")
    assert read_call("f(from='x', to=None, more=[{'a': (1, 2)}], word=some, n=-3.5)") == Call(
        "f", {"from": "x", "to": None, "more": [{"a": [1, 2]}], "word": "some", "n": -3.5}
    )
    for text in ("f", "f(", "f(1)", "f(a=1) g(b=2", "", 'f("a")'):
        assert read_call(text) is None, text
    assert json.loads(write_items([1], "json")) == {"1": 1}


@pytest.mark.parametrize(
    "text",
    [
        'The tools {a, b} serve. {"1": "a", "2": "b"} I hope {this} helps.',
        '<think>Say {"1": "c"}?</think> {"1": "a", "2": "b"}',
        '{"answers": {"1": "a", "2": "b"}}',
        '{"Request 1": "a", "request_2": "b"}',
        '{"1": "a"}\n{"2": "b"}',
        '[{"number": 1, "answer": "a"}, {"number": 2, "answer": "b"}]',
        "{1: 'a', '#2': 'b',}",
    ],
)
def test_answers_in_json_are_found_among_words_and_in_usual_shapes(text):
    assert read_items(text, "json", 2) == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["1: a, 2: b", "1 - a\n2 - b", "1 -> a\n2 -> b", "Request 1: a\nRequest 2: b", "1) a\n2) b"]
)
def test_answers_in_lines_are_found_behind_usual_marks(text):
    assert read_items(text, "string", 2) == ["a", "b"]


def test_words_of_json_may_stand_in_a_python_literal():
    assert read_items("{'1': {'a': true, 'b': null}}", "json", 1) == [{"a": True, "b": None}]
    assert read_items('{"1": null, "2": "b"}', "json", 2) == ["null", "b"]  # said, unlike a number that is missing
    assert read_names('Of [these]: ["f(x=1)", "2. g"]', "json", ["f", "g"]) == ["f", "g"]
    assert read_names('{"1": "g", "2": {"function": "f"}}', "json", ["f", "g"]) == ["g", "f"]
    assert read_call("f(a=1) - since a is one") == Call("f", {"a": 1})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Reason", "({})"),
        ("Reason", "Option {}: it can be done now"),
        ("Review", "{} - the code differs"),
        ("Retrieve", "functions.{}(a=1)"),
        ("Retrieve", "{} - it does that"),
    ],
)
def test_a_remark_behind_an_answer_does_not_matter(name, said):
    for seed in range(5):
        env = made(f"ACB/Tool{name}-v0", level=3)
        env.reset(seed=seed)
        answers = [said.format(env.answer(place)) for place in range(env.count)]
        assert env.step(write_items(answers, "json"))[4]["success"]


def test_no_wish_is_both_taken_back_and_pressed():
    assert len({*WITHDRAWN, *PRESSED}) == len(WITHDRAWN) + len(PRESSED)
    env = made("ACB/ToolReview-v0", level=3)
    for seed in range(150):
        env.reset(seed=seed)
        blocks = re.split(r"^Situation \d+$", env.task.goal, flags=re.M)[1:]
        for block, label in zip(blocks, env.task.reference, strict=True):
            if any(text in block for text in WITHDRAWN):
                assert label == "not_needed"
            if any(text in block for text in PRESSED):
                assert label != "not_needed"


def test_no_second_answer_to_a_plan_is_refused():
    """Whoever makes only calls whose needs are met, and none that is not needed, is right."""
    env = made("ACB/ToolPlan-v0", level=4)
    rng = np.random.default_rng(0)
    for seed in range(200):
        env.reset(seed=seed)
        steps = env.task.reference["steps"]
        done, said = set(), []
        while len(said) < len(steps):
            ready = [s for s in steps if s[1] not in done and set(s[2]) <= done]
            step = ready[rng.integers(len(ready))]
            done.add(step[1])
            said.append(step[0])
        assert env.step(json.dumps(said))[4]["success"], said


def test_one_option_of_a_situation_is_right_by_another_reckoning():
    """A call that a search over the task finds makable and needed is offered once, and it is the reference."""
    env = made("ACB/ToolReason-v0", level=3)
    for seed in range(200):
        told, _ = env.reset(seed=seed)
        for block, letter in zip(re.split(r"^Situation \d+$", told, flags=re.M)[1:], env.task.reference, strict=True):
            options = re.findall(r"^[A-H]\) (.*)$", block, re.M)
            assert len(options) == len(set(options)) >= 3
            before, right = block.partition("Options:\n")[0], options["ABCDEFGH".index(letter)]
            assert f"Call: {right}\n" not in before
            if re.match(r"\w+\(", right):
                known = before.casefold()
                call = read_call(right)
                assert call is not None, right
                codes = [v for v in call.arguments.values() if isinstance(v, str) and re.match(r"[A-Z]+-?\d{3}", v)]
                assert all(code.casefold() in known for code in codes), (seed, right)


def test_the_suite_plays_all_six():
    assert set(IDS) < set(suite_named("tools"))
    assert set(suite_named("tools")) <= set(suite_named("full"))


def test_no_domain_is_in_both_splits():
    names = {split: {tool.name for tool in tools(split)} for split in ("eval", "train")}
    assert not names["eval"] & names["train"]
    assert not {d.name for d in domains("eval")} & {d.name for d in domains("train")}


@pytest.mark.parametrize("env_id", IDS)
def test_no_sentence_of_a_user_comes_again_and_again(env_id):
    env = made(env_id, level=3)
    counts, total = Counter(), 0
    for seed in range(400):
        for text in user_texts(env.reset(seed=seed)[0]):
            total += 1
            counts.update(set(skeletons(text)))
    assert total >= 400
    sentence, most = counts.most_common(1)[0]
    # A library of few domains says the same more often.
    allowed = 0.02 if len(domains("eval")) >= 20 else 0.06
    chance = 2 * (allowed * (1 - allowed) / total) ** 0.5  # two standard errors of so few requests
    assert most / total <= allowed + chance, (sentence, most / total)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", IDS)
def test_no_task_is_in_both_splits_or_comes_often(env_id):
    env = made(env_id, level=1)
    hashes = {}
    for split in ("eval", "train"):
        hashes[split] = set()
        for seed in range(2_500):
            env.reset(seed=seed, options={"split": split})
            hashes[split].add(env.task.hash)
        assert len(hashes[split]) > 2_000
    assert not hashes["eval"] & hashes["train"]
