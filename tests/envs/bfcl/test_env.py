"""ACB/BFCL on small files in the official schema: verdicts worked by hand, turns, steps, refusals, the contract."""

from __future__ import annotations

import json
import pickle

import gymnasium as gym
import pytest

from acgym.check import check
from acgym.envs.tools.bfcl.env import BFCL, MAX_CALLS, STEP_LIMIT
from acgym.envs.tools.bfcl.files import CATEGORIES, NOT_PLAYABLE
from acgym.rows import BadRow
from tests.helpers.bfcl_data import AREA, DIALOGUES, SINGLE, asked, bfcl_folder, function, write

WRITTEN = [*SINGLE, *DIALOGUES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return bfcl_folder(tmp_path_factory.mktemp("bfcl"))


@pytest.fixture
def own(tmp_path):
    """A folder that a test may spoil."""
    return bfcl_folder(tmp_path)


def opened(folder, category, row=0):
    env = BFCL(category, str(folder))
    for seed in range(env.rows):
        told, info = env.reset(seed=seed)
        if env.task.data["id"] == f"{category}_{row}":
            return env, told, info
    raise AssertionError


def says(name, **arguments):
    return {"name": name, "arguments": arguments}


def said(*calls):
    return json.dumps(list(calls) if len(calls) != 1 else calls[0])


def ends(env, action):
    _, reward, terminated, _, info = env.step(action)
    assert terminated
    return info["success"], info["error"], reward


@pytest.mark.parametrize("category", WRITTEN)
def test_the_contract_is_kept_in_every_category(folder, category):
    check("ACB/BFCL-v0", seeds=4, category=category, path=str(folder))


def test_the_oracle_is_right_in_every_row(folder):
    for category in WRITTEN:
        env = BFCL(category, str(folder))
        for seed in range(env.rows):
            env.reset(seed=seed)
            over = False
            while not over:
                over, _, info = env.step(env.oracle())[2:]
            assert info["success"], (category, seed)


RIGHT = says("shape.area", base=10, height=5)
SIMPLE = [
    (said(RIGHT), None),
    (said(says("shape_area", base=10, height=5.0, unit="C.M.")), None),
    ("shape.area(base=10, height=5)", None),
    ("```python\n[shape.area(height=5.0, base=10, unit='cm')]\n```", None),
    ('```json\n[{"name": "shape.area", "arguments": {"base": 10, "height": 5}}]\n```', None),
    ("The area is 50.", "no_call"),
    ("", "no_call"),
    ('{"name": "shape.area", "arguments"', "no_call"),
    (said(RIGHT, RIGHT), "wrong_count"),
    (said(says("volume", base=10, height=5)), "wrong_function"),
    (said(says("shape.area", base=10)), "missing_parameter"),
    ("shape.area(10, 5)", "missing_parameter"),
    (said(says("shape.area", base=10, height=5, depth=1)), "unexpected_parameter"),
    (said(says("shape.area", base=10.0, height=5)), "wrong_type"),
    (said(says("shape.area", base="10", height=5)), "wrong_type"),
    (said(says("shape.area", base=True, height=5)), "wrong_type"),
    (said(says("shape.area", base=11, height=5)), "wrong_value"),
    (said(says("shape.area", base=10, height=5, unit="m")), "wrong_value"),
]


@pytest.mark.parametrize(("action", "error"), SIMPLE)
def test_a_single_call_is_judged_in_the_fields_words(folder, action, error):
    env, _, info = opened(folder, "simple_python")
    assert info["tools"][0]["function"]["parameters"]["properties"]["height"]["type"] == "number"
    assert ends(env, action) == (error is None, error, float(error is None))


def test_a_broken_call_is_malformed_and_words_are_not(folder):
    env, *_ = opened(folder, "simple_python")
    assert env.step('{"name": "shape.area", "arguments"')[4]["malformed"]
    env.reset(seed=0)
    assert not env.step("The area is 50.")[4]["malformed"]


def test_parallel_calls_may_come_in_any_order_and_each_counts_once(folder):
    other = says("shape.area", base=1, height=2)
    for calls, error in [((RIGHT, other), None), ((other, RIGHT), None), ((other, other), "wrong_value")]:
        env, *_ = opened(folder, "parallel")
        assert ends(env, said(*calls))[1] == error
    env, *_ = opened(folder, "parallel")
    assert ends(env, "shape.area(base=1, height=2)\nshape.area(base=10, height=5)")[1] is None, "one call to a line"
    env, *_ = opened(folder, "parallel")
    assert ends(env, "shape.area(base=1, height=2)\nx = shape.area(base=10, height=5)")[1] == "no_call"


def test_a_broken_call_in_a_dialogue_ends_the_turn_and_is_malformed(folder):
    env, *_ = opened(folder, "multi_turn_base")
    info = env.step('<tool_call>{"name": "cd", "arguments"')[4]
    assert info["malformed"]
    assert info["error"] == "empty_turn"
    env, *_ = opened(folder, "parallel")
    assert ends(env, said(RIGHT))[1] == "wrong_count"


def test_java_and_javascript_values_are_texts_of_source_code(folder):
    env, _, info = opened(folder, "simple_java")
    assert info["tools"][0]["function"]["parameters"]["properties"]["count"]["type"] == "string"
    names = 'new ArrayList<>(Arrays.asList("a", "b"))'
    assert ends(env, said(says("Store.put", count="5L", names=names)))[1] is None
    for count, error in [("5", "wrong_type"), ("6L", "wrong_value"), (5, "wrong_type")]:
        env, *_ = opened(folder, "simple_java")
        assert ends(env, said(says("Store.put", count=count, names=names)))[1] == error
    env, *_ = opened(folder, "simple_javascript")
    assert ends(env, "draw(size=7)")[1] == "wrong_type"
    env, *_ = opened(folder, "simple_javascript")
    assert ends(env, said(says("draw", size="7n")))[1] is None


def test_where_no_tool_fits_a_call_is_wrong_and_where_any_does_words_are(folder):
    for action, error in [("", None), ("It is noon.", None), (said(RIGHT), "called_although_irrelevant")]:
        env, *_ = opened(folder, "irrelevance")
        assert ends(env, action)[1] == error
    for action, error in [(said(says("other")), None), ("It is noon.", "no_call")]:
        env, *_ = opened(folder, "live_relevance")
        assert ends(env, action)[1] == error


def test_a_dialogue_goes_turn_by_turn_and_a_turn_step_by_step(folder):
    env, told, _ = opened(folder, "multi_turn_base")
    assert told == "Move notes.txt into old."
    answer, reward, over, _, _ = env.step(said(says("mv", source="notes.txt", destination="old")))
    assert (json.loads(answer), reward, over) == ({"result": "'notes.txt' moved to 'old/notes.txt'"}, 0.0, False)
    told, reward, over, *_ = env.step("Done.")
    assert (told, reward, over) == ("Sort it, and add 1 and 2.", 0.5, False)
    answer = env.step(said(says("cd", folder="old"), says("sort", file_name="notes.txt")))[0]
    assert json.loads(answer) == [{"current_working_directory": "old"}, {"sorted_content": "a\nb"}]
    assert json.loads(env.step("add(a=1, b=2)")[0]) == {"result": 3}
    assert ends(env, "It is sorted.") == (True, None, 0.5)


@pytest.mark.parametrize(
    ("actions", "error", "progress"),
    [
        ([""], "empty_turn", 0.0),
        (["mkdir(dir_name='x')", ""], "state_mismatch", 0.0),
        (["mv(source='notes.txt', destination='old')", "", "ls()", ""], "response_mismatch", 0.5),
        (["mv(source='notes.txt', destination='old')", "", ""], "empty_turn", 0.5),
    ],
)
def test_a_wrong_turn_ends_the_dialogue_and_says_how(folder, actions, error, progress):
    env, *_ = opened(folder, "multi_turn_base")
    for action in actions[:-1]:
        assert not env.step(action)[2]
    _, _, over, _, info = env.step(actions[-1])
    assert (over, info["success"], info["error"], info["progress"]) == (True, False, error, progress)


def test_responses_of_earlier_turns_count_and_more_calls_are_no_fault(folder):
    env, *_ = opened(folder, "multi_turn_base")
    env.step("[add(a=1, b=2), mv(source='notes.txt', destination='old'), ls()]")
    env.step("")
    env.step("[cd(folder='old'), sort(file_name='notes.txt')]")
    assert ends(env, "")[0]


def test_one_step_more_than_the_limit_ends_the_dialogue(folder):
    env, *_ = opened(folder, "multi_turn_base")
    for _ in range(STEP_LIMIT):
        assert not env.step("ls()")[2]
    _, _, over, _, info = env.step("ls()")
    assert (over, info["error"], info["success"]) == (True, "too_many_steps", False)


def test_too_many_calls_in_one_reply_are_malformed_and_none_is_run(folder):
    env, *_ = opened(folder, "multi_turn_base")
    assert env.step("[" + "mkdir(dir_name='fresh'), " * (MAX_CALLS + 1) + "]")[4]["malformed"]
    assert "fresh" not in env.step("ls()")[0]


def test_tools_that_are_missing_come_as_a_turn_of_their_own(folder):
    env, _, info = opened(folder, "multi_turn_miss_func")
    assert "sort" not in [tool["function"]["name"] for tool in info["tools"]]
    env.step("mkdir(dir_name='new')")
    assert env.step("")[0] == "Sort notes.txt."
    told = env.step("I have no tool for that.")[0]
    assert '"name": "sort"' in told
    env.step("sort(file_name='notes.txt')")
    assert ends(env, "")[0]


def test_asking_for_what_is_missing_is_right(folder):
    env, *_ = opened(folder, "multi_turn_miss_param")
    told, reward, over, *_ = env.step("What shall it be called?")
    assert (told, reward, over) == ("Call it new.", 0.0, False)
    env.step("mkdir(dir_name='new')")
    assert ends(env, "Done.") == (True, None, 1.0)


def test_the_long_context_is_longer(folder):
    env, *_ = opened(folder, "multi_turn_long_context")
    assert json.loads(env.step("cat(file_name='notes.txt')")[0]) == {"file_content": "b\na and so on"}
    env.step("cd(folder='old')")
    assert json.loads(env.step("ls()")[0]) == {"current_directory_content": ["p1.jpg", "p2.jpg"]}


def test_what_a_call_brings_is_not_changed_by_what_the_service_does_later(folder):
    env, *_ = opened(folder, "multi_turn_base")
    before = json.dumps(env.task.reference)
    for action in (env.oracle(), "", env.oracle(), ""):
        env.step(action)
    assert json.dumps(env.task.reference) == before


def test_a_dialogue_under_way_survives_pickling(folder):
    env, *_ = opened(folder, "multi_turn_base")
    env.step(env.oracle())
    copy = pickle.loads(pickle.dumps(env))
    assert copy.step("") == env.step("")


def spoil(folder, category, change, gold=False):
    path = (folder / "possible_answer" if gold else folder) / f"BFCL_v4_{category}.json"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    write(path, change(rows))


def without(key):
    return lambda rows: [{name: value for name, value in rows[0].items() if name != key}, *rows[1:]]


def with_(**more):
    return lambda rows: [{**rows[0], **more}, *rows[1:]]


BAD = [
    ("simple_python", without("question"), False, "it has no 'question'"),
    ("simple_python", without("function"), False, "it has no 'function'"),
    ("simple_python", with_(function=[{"name": "f"}]), False, "the function 'f' has no 'parameters'"),
    (
        "simple_python",
        with_(function=[function("f", {"a": 5}, [])]),
        False,
        "the parameter 'a' of 'f' must be an object",
    ),
    ("simple_python", with_(function=[function("f", {}, "a")]), False, "'required' of the function 'f' must be a list"),
    ("simple_python", lambda rows: rows[1:], True, "has no gold answer for it"),
    ("simple_python", with_(ground_truth=[{"other": {}}]), True, "calls 'other', which is not among its functions"),
    ("simple_python", with_(ground_truth=[]), True, "its gold answer is empty"),
    ("simple_python", with_(ground_truth=[{"shape.area": {"base": 10}}]), True, "values of 'base' must be a list"),
    ("irrelevance", with_(question=[]), False, "'question' is empty"),
    ("multi_turn_base", with_(involved_classes=["Spaceship"]), False, "unknown class 'Spaceship'"),
    ("multi_turn_base", with_(ground_truth=[["mv("], []]), True, "no call of a function of the row"),
    ("multi_turn_base", with_(ground_truth=[["fly()"], []]), True, "no call of a function of the row"),
    ("multi_turn_base", with_(ground_truth=[["ls()"]]), True, "it has 2 turns and its gold answer 1"),
    ("multi_turn_base", with_(ground_truth=[[], []]), True, "calls nothing in any turn"),
    ("multi_turn_base", with_(missed_function={"0": [["ls"]]}), False, "must map a turn to a list of functions"),
    ("multi_turn_base", with_(initial_config={"GorillaFileSystem": 5}), False, "must be an object, it is int"),
    (
        "multi_turn_base",
        with_(initial_config={"GorillaFileSystem": {"root": {}}}),
        False,
        "cannot begin in its initial",
    ),
    ("multi_turn_base", with_(missed_function={"9": ["ls"]}), False, "'missed_function' names the turn '9'"),
]


@pytest.mark.parametrize(("category", "change", "gold", "reason"), BAD)
def test_a_malformed_row_is_named_with_file_line_and_reason(own, category, change, gold, reason):
    spoil(own, category, change, gold)
    with pytest.raises(BadRow) as caught:
        BFCL(category, str(own))
    message = str(caught.value)
    assert reason in message
    assert f'BFCL_v4_{category}.json, line 1, row "{category}_0"' in message
    assert "\n" not in message


def test_files_and_categories_that_are_not_there_are_named(own, monkeypatch):
    with pytest.raises(ValueError, match="did you mean 'multi_turn_base'"):
        BFCL("multi_turn_bas", str(own))
    for name in NOT_PLAYABLE:
        with pytest.raises(ValueError, match="is not playable: it"):
            BFCL(name, str(own))
    with pytest.raises(FileNotFoundError, match="live_simple"):
        BFCL("live_simple", str(own))
    (own / "long_context.txt").write_text("A = open('x')")
    with pytest.raises(ValueError, match="no list of constants"):
        BFCL("multi_turn_long_context", str(own))
    (own / "long_context.txt").unlink()
    with pytest.raises(FileNotFoundError, match="long_context"):
        BFCL("multi_turn_long_context", str(own))
    monkeypatch.setenv("ACGYM_DATA", str(own / "empty"))
    with pytest.raises(FileNotFoundError, match="acgym data get bfcl"):
        gym.make("ACB/BFCL-v0")


def test_who_speaks_is_said_where_it_is_not_only_the_user(own):
    messages = [[{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B."}]]
    spoil(own, "irrelevance", with_(question=messages))
    assert opened(own, "irrelevance")[1] == "user: A?\n\nassistant: B."
    spoil(own, "live_relevance", with_(question=[[{"role": "system", "content": "S."}, *asked("A?")[0]]]))
    assert opened(own, "live_relevance")[1] == "S.\n\nA?"


def test_categories_are_those_of_the_v4_files():
    assert len(CATEGORIES) == 17
    assert AREA["name"] in str(SINGLE)


def test_a_category_is_a_name():
    with pytest.raises(ValueError, match="category must be a name, such as 'multi_turn_base', got None"):
        BFCL(None)
