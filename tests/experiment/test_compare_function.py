"""acgym.compare: agents and environments in every form, where the run goes, notebooks, agents that join a run."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import threading

import gymnasium as gym
import pytest

import acgym
from acgym.agents.scripted import Silent
from acgym.experiment.asked import entries, handed_over
from acgym.listener import Listener
from acgym.record.lines import RunExists
from acgym.record.run import Run
from acgym.types import Reply
from tests.helpers.runs import content

NEEDLE = "ACB/Needle-v0"
TOOLS = "ACB/ToolCall-v0"


def shrug(messages, tools):
    return "Answer: 1"


async def wait_and_shrug(messages, tools):
    await asyncio.sleep(0)
    return "Answer: 1"


def compare(*agents, **more):
    return acgym.compare(list(agents), **{"envs": "Needle", "episodes": 3, "progress": False, "level": 1, **more})


def test_a_function_is_compared_with_the_expert():
    told = []

    def mine(messages, tools):
        told.append((messages, tools))
        return "Answer: 1"

    result = compare("oracle", mine, envs=["Needle", "ToolCall"])
    assert result.agents == ["oracle", "python:mine"]
    assert result.envs == [NEEDLE, TOOLS]
    scores = {(row.agent, row.env): row.success for row in result.rows()}
    assert scores["oracle", NEEDLE] == scores["oracle", TOOLS] == 1.0
    assert scores["python:mine", TOOLS] == 0.0
    assert {episode.agent for episode in result.run.episodes("python:mine")} == {"python:mine"}
    first, tools = next(one for one in told if one[1])
    assert set(first[0]) == {"role", "content"}
    assert first[0]["role"] == "user"
    assert tools[0]["type"] == "function"
    assert tools[0]["function"]["name"]
    longest, _ = max(told, key=lambda one: len(one[0]))
    assert [message["role"] for message in longest] == (["user", "assistant"] * len(longest))[: len(longest)]


def test_tool_calls_that_a_function_writes_are_read_in_json_and_in_tags():
    def knows(messages, tools):
        call = {"name": tools[0]["function"]["name"], "arguments": {}}
        return json.dumps(call) if len(messages) == 1 else f"<tool_call>\n{json.dumps(call)}\n</tool_call>"

    result = compare(knows, envs="ToolCall", episodes=1)
    turns = result.run.episodes("python:knows")[0].turns
    assert json.loads(turns[0].action)["name"] == json.loads(turns[1].action)["name"]
    assert turns[1].role == "tool"


def test_agents_are_named_after_functions_and_objects():
    names, given = handed_over(["oracle", shrug, acgym.FunctionAgent(lambda messages, tools: "", "empty"), Silent()])
    assert names == ["oracle", "python:shrug", "python:empty", "python:silent"]
    assert list(given) == names[1:]
    assert handed_over(shrug)[0] == ["python:shrug"]
    assert handed_over("oracle")[0] == ["oracle"]
    assert acgym.FunctionAgent(lambda messages, tools: "").name == "lambda"
    with pytest.raises(ValueError, match=r"two agents are named 'lambda'; .*acgym\.FunctionAgent\(function, NAME\)"):
        handed_over([lambda messages, tools: "", lambda messages, tools: ""])
    with pytest.raises(TypeError, match=r"an agent is a spec .* got int"):
        handed_over(["oracle", 7])
    with pytest.raises(TypeError, match="got the class Silent"):
        handed_over(["oracle", Silent])


def test_environments_are_taken_in_every_form():
    env = gym.make(NEEDLE, level=2)
    assert entries(env) == entries(env.spec) == entries([env]) == [(NEEDLE, {"level": 2})]
    assert entries("Needle") == ["Needle"]
    assert entries(("Needle", {"level": 2})) == [("Needle", {"level": 2})]
    assert entries(["Needle", ("ToolCall", {"level": 2})]) == ["Needle", ("ToolCall", {"level": 2})]
    assert entries(()) == []
    with pytest.raises(TypeError, match=r"an environment is an id such as 'ACB/Needle-v0'.* got 3"):
        entries([3])
    assert compare("oracle", envs=[env], level=None, episodes=1).numbers.settings.envs == {NEEDLE: {"level": 2}}


def test_an_async_function_and_a_reply_of_its_own_are_taken():
    def own(messages, tools):
        return Reply("thought. Answer: 1", "Answer: 1")

    result = compare(wait_and_shrug, own, shrug)
    assert len({tuple(episode.success for episode in result.run.episodes(name)) for name in result.agents}) == 1
    assert result.run.episodes("python:own")[0].turns[0].text == "thought. Answer: 1"


def test_a_connection_that_breaks_is_counted_and_a_mistake_is_raised():
    def gone(messages, tools):
        raise ConnectionError("no route")

    result = compare("oracle", gone)
    row = result.rows()[1]
    assert (row.n, row.n_failed, row.success, row.difference) == (0, 3, None, None)
    assert result.episodes("gone")[0].failure == "AgentFailure: ConnectionError: no route"

    def mistaken(messages, tools):
        return None

    with pytest.raises(TypeError, match="the agent 'mistaken' must return its reply as a str, got NoneType"):
        compare("oracle", mistaken)


def test_it_works_where_an_event_loop_is_running():
    async def cell():
        ticks = 0

        async def beat():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(beat())
        await asyncio.sleep(0)
        result = compare("oracle", wait_and_shrug)
        played = acgym.play(Silent(), NEEDLE, [0], kwargs={"level": 1})
        other.cancel()
        return result, played, await acgym.play_async(Silent(), NEEDLE, [0], kwargs={"level": 1})

    result, played, awaited = asyncio.run(cell())
    assert result.rows()[0].success == 1.0
    assert played[0].task_hash == awaited[0].task_hash


def test_it_works_in_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(compare("oracle", shrug)))
    thread.start()
    thread.join()
    assert found[0].rows()[0].success == 1.0


def test_the_default_folder_is_temporary_and_a_copy_stays(tmp_path):
    result = compare("oracle", shrug)
    folder = result.folder
    assert (folder / "manifest.json").is_file()
    kept = result.save(tmp_path / "kept")
    numbers = result.numbers
    del result
    gc.collect()
    assert not folder.exists()
    assert kept.numbers.to_json() == numbers.to_json()
    with pytest.raises(FileExistsError):
        kept.save(tmp_path / "kept")


def test_a_comparison_that_fails_leaves_no_folder_and_an_interrupted_one_says_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken(messages, tools):
        raise RuntimeError

    def stopped(messages, tools):
        raise KeyboardInterrupt

    with pytest.raises(RuntimeError):
        compare("oracle", broken)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt) as stop:
        compare("oracle", stopped, episodes=1)
    [folder] = tmp_path.iterdir()
    assert stop.value.__notes__ == [
        f"All finished episodes are kept; the same call with out={str(folder)!r} goes on from here."
    ]
    assert len(Run.read(folder).episodes("oracle")) == 1


def test_the_same_call_goes_on_and_another_is_refused(tmp_path):
    calls = 0

    def counted(messages, tools):
        nonlocal calls
        calls += 1
        return "Answer: 1"

    first = compare("oracle", counted, out=tmp_path / "run")
    before = calls
    assert compare("oracle", counted, out=tmp_path / "run").numbers == first.numbers
    assert calls == before > 0
    with pytest.raises(RunExists, match="other settings"):
        compare("oracle", counted, out=tmp_path / "run", episodes=4)
    opened = acgym.open_run(tmp_path / "run")
    assert opened.numbers == first.numbers
    assert opened.episodes() == first.episodes()


def test_what_needs_more_than_this_process_is_refused(tmp_path):
    with pytest.raises(ValueError, match="python:shrug: agents of a script play in its own process"):
        compare("oracle", shrug, out=tmp_path / "run", workers=2)
    with pytest.raises(ValueError, match="needs a folder that all its nodes see"):
        compare("oracle", ray="local")
    with pytest.raises(ValueError, match="cannot be told to play in other batches"):
        compare(shrug, "oracle", noise_floor=True)
    assert not (tmp_path / "run").exists()


def test_a_margin_is_asked_of_every_agent():
    row = compare("oracle", shrug, episodes=40, margin=0.5).rows()[1]
    assert (row.not_worse, row.further) == ("no", None)
    assert compare("oracle", shrug).rows()[1].not_worse is None
    with pytest.raises(ValueError, match="margin"):
        compare("oracle", shrug, margin=2.0)


def test_an_option_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(TypeError, match="compare has no option 'episode'; did you mean 'episodes'"):
        compare("oracle", episode=3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"episodes": "3"}, "episodes must be a whole number, got str: '3'"),
        ({"episodes": 2.5}, "episodes must be a whole number, got float: '2.5'"),
        ({"episodes": True}, "episodes must be a whole number, got bool: 'True'"),
        ({"seed": "a"}, "seed must be a whole number, got str: 'a'"),
        ({"margin": "a"}, "margin must be a number, got str: 'a'"),
        ({"out": 3}, "out must be a path, got int: '3'"),
        ({"decoding": "x"}, "decoding must be a mapping such as {'level': 2}, got str: 'x'"),
        ({"workers": 0}, "workers must be 1 or more, or None for one a core, got 0"),
        ({"agents": []}, "there is no agent in the list; name at least one"),
        ({"envs": []}, "there is no environment in the list; name at least one"),
        ({"envs": [("Needle", 5)]},
         "an environment is an id such as 'ACB/Needle-v0', (id, {'level': 2}) or a spec, got ('Needle', 5)"),
    ],
)  # fmt: skip
def test_what_is_no_argument_is_refused_in_a_sentence(given, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        acgym.compare(**{"agents": ["oracle", "silent"], "envs": "Needle", "progress": False, **given})


def test_the_table_of_all_together_is_that_of_the_only_environment():
    result = acgym.compare(["oracle", "silent"], "Needle", episodes=3, progress=False)
    assert str(result.table("all")) == str(result.table("Needle"))


def test_progress_is_told_to_whoever_listens():
    heard = []

    class Ear(Listener):
        def playing(self, agent, env, done, total):
            heard.append((agent, env, done, total))

    compare("oracle", shrug, progress=Ear())
    assert heard[-1] == ("python:shrug", NEEDLE, 3, 3)


def test_added_agents_alone_play_and_the_first_command_goes_on_with_them(tmp_path):
    run = tmp_path / "run"
    compare("oracle", "random", out=run)
    before = content(run, ["oracle", "random"])[2]
    files = {name: (run / name / "episodes.jsonl").read_bytes() for name in ("oracle", "random")}
    result = acgym.compare(["silent", shrug], add=run, progress=False)
    assert result.agents == ["oracle", "random", "silent", "python:shrug"]
    assert content(run, ["oracle", "random"])[2] == before
    assert {name: (run / name / "episodes.jsonl").read_bytes() for name in files} == files
    assert [row.success for row in result.rows()][2] == 0.0
    assert {row.n for row in result.rows()} == {3}
    again = acgym.compare(["silent"], add=run, progress=False)
    assert again.agents == result.agents
    assert compare("oracle", "random", out=run).agents == result.agents
    assert acgym.open_run(run).agents == result.agents
    with pytest.raises(RunExists):
        compare("oracle", "silent", out=run)


def test_a_run_is_copied_before_agents_are_added_if_another_folder_is_named(tmp_path):
    run, copy = tmp_path / "run", tmp_path / "copy"
    compare("oracle", "random", out=run)
    before = (run / "manifest.json").read_bytes()
    assert acgym.compare("silent", add=run, out=copy, progress=False).agents == ["oracle", "random", "silent"]
    assert (run / "manifest.json").read_bytes() == before
    assert acgym.compare("silent", add=run, out=copy, progress=False).folder == copy


def test_a_manifest_takes_further_agents_and_nothing_else(tmp_path):
    compare("oracle", "random", out=tmp_path)
    settings = dict(Run.read(tmp_path).settings)
    for changes, said in (
        ({"seed": 1}, "nothing else: seed is 0 there and 1 now"),
        ({"agents": ["random", "oracle"]}, "nothing else: it begins with the agents oracle, random"),
        ({"models": {"reference": "x"}, "agents": ["oracle", "random", "reference"]}, None),
    ):
        if said is None:
            Run.widen(tmp_path, {**settings, **changes})
            assert Run.read(tmp_path).settings["models"] == {"reference": "x"}
            continue
        with pytest.raises(ValueError, match=said):
            Run.widen(tmp_path, {**settings, **changes})


def test_what_cannot_be_added_is_refused_and_nothing_is_changed(tmp_path):
    run = tmp_path / "run"
    compare("oracle", "random", out=run)
    before = (run / "manifest.json").read_bytes()
    for given, said in (
        ({"agents": "silent", "episodes": 5, "envs": "Needle"}, "leave out envs, episodes"),
        ({"agents": ()}, "name the agents that join the run"),
        ({"agents": "oracel"}, "did you mean 'oracle'"),
        ({"agents": ["silent", "silent"]}, "named twice"),
    ):
        with pytest.raises(ValueError, match=said):
            acgym.compare(add=run, progress=False, **given)
    with pytest.raises(FileNotFoundError, match="holds no run"):
        acgym.compare("silent", add=tmp_path / "none", progress=False)
    assert (run / "manifest.json").read_bytes() == before


def test_a_run_whose_environment_has_changed_takes_no_agent(tmp_path):
    run = tmp_path / "run"
    compare("oracle", out=run, episodes=1)
    file = run / "oracle" / "episodes.jsonl"
    row = json.loads(file.read_text())
    row["turns"][0]["observation"] += " then"
    file.write_text(json.dumps(row) + "\n")
    with pytest.raises(ValueError, match="the environments are no longer those of the run"):
        acgym.compare("silent", add=run, progress=False)


@pytest.mark.slow
def test_a_model_that_is_handed_over_is_looked_into():
    """Its signals are those of the same model under a spec."""
    dense, other = acgym.agent("reference"), acgym.agent("reference+rtn-w3")
    given = compare(dense, other)
    named = compare("reference", "reference+rtn-w3")
    assert given.agents == ["python:reference", "python:reference+rtn-w3-g128"]
    ours, theirs = given.rows()[1], named.rows()[1]
    assert ours.kl == theirs.kl
    assert (ours.lost, ours.won, ours.difference) == (theirs.lost, theirs.won, theirs.difference)
    assert ours.bits_per_weight is None


@pytest.mark.slow
def test_a_recipe_that_is_added_finds_what_it_would_have_found_from_the_start(tmp_path):
    agents = ["reference", "reference+gptq-w3"]
    compare(*agents, out=tmp_path / "run")
    sheet = (tmp_path / "run" / "reference" / "agent.json").read_bytes()
    [drawn] = tmp_path.glob("run/calibration-*.json")
    before = drawn.read_bytes()
    added = acgym.compare("reference+gptq-w2", add=tmp_path / "run", progress=False)
    assert (tmp_path / "run" / "reference" / "agent.json").read_bytes() == sheet
    assert drawn.read_bytes() == before
    whole = compare(*agents, "reference+gptq-w2", out=tmp_path / "whole")
    names = added.agents
    assert content(tmp_path / "run", names)[2] == content(tmp_path / "whole", names)[2]
    for ours, theirs in zip(added.rows(), whole.rows(), strict=True):
        assert (ours.success, ours.difference, ours.p, ours.kl) == (
            theirs.success,
            theirs.difference,
            theirs.p,
            theirs.kl,
        )
