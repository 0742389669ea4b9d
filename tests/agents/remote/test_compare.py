"""Comparisons with an agent behind a server, from the command line to the run's files; and with a real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import acgym
from acgym.agents.remote.spec import Key
from acgym.assemble.make import agent, remote
from acgym.assemble.spec import parse_spec
from acgym.cli.app import app
from acgym.experiment.run import prepare, run_comparison
from acgym.loop import play
from acgym.record.run import Run
from acgym.tool_calls import read_calls
from tests.helpers.misbehaving_server import Server, raw, says, thinks

TOOLS = "ACB/ToolCall-v0"
NEEDLE = "ACB/Needle-v0"
SEEDS = range(4)


def acgym_command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def expert(env, native, wrong=()):
    """A server's mind that plays as the oracle does, but says nothing in the episodes number ``wrong``.

    It sees messages alone: the first one tells the episode, the number of answers so far tells the turn.
    """
    scripts = {}
    for number, episode in enumerate(play(agent("oracle"), env, SEEDS, kwargs={"level": 1})):
        actions = [turn.action if number not in wrong else "" for turn in episode.turns]
        scripts[episode.turns[0].observation] = actions + [""] * 40

    def reply(body):
        first = body["messages"][0]["content"]
        if "acgym_probe" in first:
            offered = [tool["function"]["name"] for tool in body.get("tools", [])]
            return called([{"name": name, "arguments": {}} for name in offered]) if native else {"content": "no"}
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        action = next(actions for start, actions in scripts.items() if first.endswith(start))[turn]
        calls = read_calls(action)
        return called([call.as_json() for call in calls]) if native and calls else {"content": action}

    return thinks(reply)


def called(calls):
    rows = [
        {"id": f"n{at}", "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])}}
        for at, call in enumerate(calls)
    ]
    return {"content": None, "tool_calls": rows}


@pytest.mark.parametrize(("env", "native"), [(TOOLS, True), (TOOLS, False), (NEEDLE, True)])
def test_compare_command_plays_with_a_server(env, native, quick, tmp_path):
    with Server(expert(env, native, wrong=(1,))) as server:
        spec = f"openai:tiny@{server.url}"
        command = (
            "compare",
            "oracle",
            spec,
            "--env",
            env,
            "--episodes",
            "4",
            "--level",
            "1",
            "--out",
            tmp_path / "run",
        )
        done = acgym_command(*command)
        assert done.exit_code == 0, done.output
        played = len(server.requests)
        assert acgym_command(*command).exit_code == 0
        assert len(server.requests) == played  # the same command asks nothing again
    result = json.loads((tmp_path / "run" / "comparison.json").read_text())
    found = result["agents"][1]
    assert found["scores"][env]["success"] == 0.75
    assert found["comparisons"][env]["lost"] == 1
    assert set(found["signals"].values()) == {None}
    sheet = found["sheet"]
    assert sheet["signals"]["reason"] == "its model runs elsewhere"
    assert sheet["facts"]["tools"]["mode"] == ("native" if native else "text")
    turns = sum(len(episode.turns) for episode in Run.read(tmp_path / "run").episodes(spec))
    assert sheet["usage"]["requests"] == turns + 2
    assert sheet["usage"]["prompt_tokens"] == 7 * turns
    offered = ["tools" in request.body for request in server.requests[2:]]
    assert set(offered) == {native and env == TOOLS}
    if native and env == TOOLS:
        talks = [request.body["messages"] for request in server.requests[2:]]
        said = next(talk for talk in talks if len(talk) > 2 and "tool_calls" in talk[1])  # the wrong reply has none
        assert said[1]["tool_calls"][0]["id"] == said[2]["tool_call_id"] == "n0"


def test_text_and_native_play_the_same_episodes(quick):
    """The form of the tools changes no action: both are those of the oracle."""
    episodes = []
    for native in (True, False):
        with Server(expert(TOOLS, native)) as server:
            made = agent(f"openai:tiny@{server.url}")
            episodes.append(play(made, TOOLS, SEEDS, kwargs={"level": 1}))
    for one, other, oracle in zip(*episodes, play(agent("oracle"), TOOLS, SEEDS, kwargs={"level": 1}), strict=True):
        actions = [[turn.action for turn in episode.turns] for episode in (one, other, oracle)]
        assert actions[0] == actions[1] == actions[2]
        assert one.success


def test_key_is_in_no_file_of_a_run(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("ACGYM_API_KEY", "sk-very-secret")
    answers = says(), says("no"), raw(400, '{"error": {"message": "key sk-very-secret is short of funds"}}')
    with Server(*answers) as server:
        settings = prepare([f"openai:tiny@{server.url}"], [NEEDLE], episodes=2, level=1)
        result = run_comparison(settings, tmp_path / "run")
    assert all(request.headers["authorization"] == "Bearer sk-very-secret" for request in server.requests)
    row = result.to_json()["agents"][0]["scores"][NEEDLE]
    assert (row["n"], row["n_failed"]) == (0, 2)
    assert "key *** is short of funds" in row["reason"]
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        assert b"very-secret" not in path.read_bytes()


def test_key_that_a_server_says_is_in_no_file_of_a_run(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("ACGYM_API_KEY", "sk-very-secret")
    with Server(says("your key is sk-very-secret, and EMPTY is none")) as server:
        settings = prepare([f"openai:tiny@{server.url}"], [NEEDLE], episodes=2, level=1)
        run_comparison(settings, tmp_path / "run")
    (file,) = (tmp_path / "run").rglob("episodes.jsonl")
    assert b"your key is ***, and EMPTY is none" in file.read_bytes()
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or b"very-secret" not in path.read_bytes()


def test_a_key_that_is_no_secret_changes_no_reply():
    said = {"EMPTY": ["it is EMPTY", 3, None, {"a": "EMPTY-KEY"}]}
    assert Key("EMPTY").hidden_within(said) == said
    assert Key("EMPTY-KEY").hidden_within(said) == {"EMPTY": ["it is EMPTY", 3, None, {"a": "***"}]}


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (raw(401, '{"error": {"message": "who are you"}}'), 2, "who are you.*ACGYM_API_KEY"),
        (raw(503, ""), 1, "no usable answer.*ACGYM_REMOTE_TIMEOUT"),
    ],
)
def test_server_that_does_not_serve_is_found_before_an_episode_is_played(answer, status, said, quick, tmp_path):
    with Server(answer) as server:
        done = acgym_command("play", f"openai:tiny@{server.url}", NEEDLE, "--out", tmp_path / "run")
    assert done.exit_code == status
    assert re.search(said, done.output, re.DOTALL)
    assert not list((tmp_path / "run").rglob("episodes.jsonl"))


def test_rerun_asks_for_less_at_once(quick):
    with Server(says()) as server:
        again, sheet = remote(parse_spec(f"openai:tiny@{server.url}#text@rerun"))
    assert again.name.endswith("#text@rerun")
    assert sheet["rerun"] == {"max_batch": 4, "max_batch_before": 32}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("openai:", "should be written 'openai:MODEL@URL'"),
        ("openai", "should be written 'openai:MODEL@URL'"),
        ("openai:m", "should be written 'openai:MODEL@http"),
        ("openai:m@http://h/v1+gptq-w4", "'openai' runs its model elsewhere.*drop the recipe"),
        ("opnai:m@http://h/v1", "did you mean 'openai'"),
    ],
)
def test_bad_spec_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        parse_spec(text)


def test_spec_is_canonical():
    spec = parse_spec(" openai:a/b+c@http://h:1/ ")
    assert (spec.text, spec.kind, spec.source) == ("openai:a/b+c@http://h:1/v1", "openai", "a/b+c@http://h:1/v1")
    assert parse_spec(spec.text) == spec
    assert parse_spec(f"{spec.text}@rerun").rerun


def test_vllm_that_is_missing_is_named_before_anything_loads():
    code = (
        "import sys\nfrom acgym.assemble.spec import parse_spec\n"
        "try:\n    parse_spec('vllm:owner/name')\nexcept ImportError as error:\n    print(error)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(acgym.__file__).parents[1]
    )
    assert 'pip install "acgym[vllm]"' in done.stdout
    assert done.stdout.endswith("False\n")


def test_agents_that_are_remote_load_no_torch(quick):
    with Server(says()) as server:
        code = (
            "import sys\nimport acgym\n"
            f"chat = acgym.agent('openai:tiny@{server.url}#text').chat({{}})\n"
            "print(chat('x'), [name for name in ('torch', 'transformers') if name in sys.modules])"
        )
        root = Path(acgym.__file__).parents[1]
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout == "fine []\n", done.stderr
