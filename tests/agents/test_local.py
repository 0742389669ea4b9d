"""Agents with a model of their own: replies do not depend on the batch, failures are told from bugs, refusals help."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import weakref
from dataclasses import replace

import pytest
import torch
from transformers import MambaConfig, MambaForCausalLM
from transformers.utils import logging

import acgym
from acgym.agents.base import AgentFailure
from acgym.agents.local import REFERENCE, Loaded, LocalAgent, load
from acgym.analysis.failure import classify
from acgym.types import Call, Message
from tests.helpers import small_agent
from tests.helpers.registry import PLAYED

NEEDLE, HOUSEHOLD = "ACB/Needle-v0", "ACB/Household-v0"


def agent(window=4096, max_new_tokens=24, stops=(), max_batch=64, **changes):
    made = LocalAgent(small_agent.loaded(window=window, **changes), "small", max_new_tokens, max_batch)
    made.stop_ids |= frozenset(stops)
    return made


def behaving(forward, **kwargs):
    """An agent whose model's forward is ``forward(real_forward, inputs)``, once it has been found readable."""
    made = agent(**kwargs)
    _ = made._engine
    real = made.model.forward
    made.model.forward = lambda **inputs: forward(real, inputs)
    return made


def conversations(inputs):
    """How many conversations a forward pass reads."""
    return sum(group.rows for group in inputs["acgym_plan"].groups)


def ask(made, *texts):
    """Put one question each to the agent, all at once."""

    async def everyone():
        talks = [[Message("user", text)] for text in texts]
        return await asyncio.gather(*(made.reply(talk, ()) for talk in talks), return_exceptions=True)

    return asyncio.run(everyone())


def timeless(episode):
    return replace(episode, seconds=0.0, turns=tuple(replace(turn, seconds=0.0) for turn in episode.turns))


@pytest.mark.parametrize("env_id", [NEEDLE, "ACB/ToolCall-v0"])
def test_episodes_do_not_depend_on_how_many_are_played_at_once(env_id):
    kwargs = {"level": 1}
    played = []
    for concurrency, max_batch in ((1, 64), (16, 64), (16, 3)):
        made = agent(max_new_tokens=10, stops=range(0, 1300, 15), max_batch=max_batch)
        episodes = acgym.play(made, env_id, range(4), kwargs=kwargs, concurrency=concurrency)
        played.append([timeless(episode).to_line() for episode in episodes])
    assert played[0] == played[1] == played[2]
    turns = [turn for episode in episodes for turn in episode.turns]
    assert {turn.finish_reason for turn in turns} == {"stop", "length"}
    assert len({turn.text for turn in turns}) > 5, "the model says the same to everyone: the test shows nothing"


def test_a_long_prompt_does_not_shorten_the_replies_of_others():
    made = agent(max_new_tokens=50)
    made.stop_ids = frozenset()
    made.window = 13 + len(made.prompts.ids([Message("user", "x y " * 40)], ()))
    long, short = ask(made, "x y " * 40, "x")
    assert (len(long.token_ids), len(short.token_ids)) == (13, 50)
    assert (long.finish_reason, short.finish_reason) == ("length", "length")
    assert ask(made, "x")[0].token_ids == short.token_ids


def test_a_prompt_beyond_the_window_is_a_failure_of_its_episode_alone():
    made = agent(window=60)
    long, short = ask(made, "x y " * 60, "x")
    assert isinstance(long, AgentFailure)
    assert "context window is 60" in str(long)
    assert short.token_ids
    (episode,) = acgym.play(agent(window=8), NEEDLE, [0], kwargs={"level": 1})
    assert (episode.outcome, episode.success) == ("failed", None)
    assert "context window is 8" in episode.failure


@pytest.mark.slow
def test_an_agent_that_talks_until_its_window_is_full_is_scored():
    """It plays on without a word; its episode is lost, not left out."""
    made = agent(max_new_tokens=60)
    first = acgym.play(made, HOUSEHOLD, [0], kwargs={"level": 1})[0].turns[0]
    made.window = len(first.prompt_ids) + 70  # room for one long reply
    (episode,) = acgym.play(made, HOUSEHOLD, [0], kwargs={"level": 1})
    assert (episode.outcome, episode.success, episode.truncated) == ("finished", False, True)
    silent = [turn for turn in episode.turns if turn.token_ids is None]
    assert 0 < len(silent) < len(episode.turns)
    assert episode.turns[0].token_ids
    assert all((turn.text, turn.finish_reason, turn.malformed) == ("", "length", True) for turn in silent)
    assert classify(episode).kind == "truncation"
    assert max(len(ids) for ids, _ in episode.sequences()) <= made.window


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_batch_that_memory_does_not_hold_is_halved(error):
    def forward(real, inputs):
        if conversations(inputs) > limit:
            raise error
        return real(**inputs)

    texts = ["a", "b c", "d e f", "g", "h"]
    limit = 2
    replies = ask(behaving(forward), *texts)
    assert [r.token_ids for r in replies] == [r.token_ids for r in ask(agent(), *texts)]
    limit = 0
    failed = ask(behaving(forward), *texts)
    assert all(isinstance(reply, AgentFailure) and "out of memory" in str(reply) for reply in failed)


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), KeyError("layer")])
def test_a_bug_stops_the_run_instead_of_counting_as_failed_episodes(error):
    def forward(real, inputs):
        raise error

    made = behaving(forward)
    with pytest.raises(type(error), match=str(error)):
        acgym.play(made, NEEDLE, range(3), kwargs={"level": 1})


def test_a_reply_that_is_given_up_holds_no_other_and_leaves_the_batch():
    sizes = []

    def forward(real, inputs):
        sizes.append(conversations(inputs))
        if len(sizes) == 3:
            tasks[1].cancel()
        return real(**inputs)

    made = behaving(forward)

    async def three():
        nonlocal tasks
        tasks = [asyncio.create_task(made.reply([Message("user", text)], ())) for text in ("a", "b c", "d e f")]
        return await asyncio.gather(*tasks, return_exceptions=True)

    tasks = []
    first, given_up, last = asyncio.run(three())
    assert isinstance(given_up, asyncio.CancelledError)
    assert sizes[:5] == [3, 3, 3, 2, 2]
    alone = agent()
    assert [first.token_ids, last.token_ids] == [ask(alone, text)[0].token_ids for text in ("a", "d e f")]


def test_an_episode_out_of_time_fails_alone_and_the_agent_goes_on():
    def forward(real, inputs):
        steps.append(time.sleep(0.0 if steps else 0.1))
        return real(**inputs)

    made = behaving(forward)
    steps = []

    async def late():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await made.reply([Message("user", "a")], ())
        return await made.reply([Message("user", "b c")], ())

    assert asyncio.run(late()).token_ids == ask(agent(), "b c")[0].token_ids


def test_one_agent_serves_one_event_loop_after_the_other():
    made = agent(max_new_tokens=4)
    chat = made.chat({})
    assert [type(chat(text)) for text in ("a", "b", "c")] == [str] * 3
    assert len(chat.messages) == 6


def test_thoughts_and_tool_calls_are_read_and_token_ids_stay_whole():
    words = '<think>a cup?</think>\n<tool_call>\n{"name": "take", "arguments": {"what": "cup"}}\n</tool_call>'
    tok = small_agent.tokenizer()
    script = [*tok.encode(words), tok.eos_token_id]
    made = behaving(lambda real, inputs: says(real(**inputs), inputs), max_new_tokens=500)
    begins = len(made.prompts.ids([Message("user", "Go.")], ()))

    def says(out, inputs):
        positions = inputs["position_ids"][0][inputs["logits_to_keep"]].tolist()
        for row, position in enumerate(positions):
            out.logits[0, row, script[min(position + 1 - begins, len(script) - 1)]] = 99.0
        return out

    (reply,) = ask(made, "Go.")
    assert reply.text == words
    assert reply.calls == (Call("take", {"what": "cup"}),)
    assert json.loads(reply.action) == {"name": "take", "arguments": {"what": "cup"}}
    assert reply.token_ids == tuple(script)
    assert reply.finish_reason == "stop"


def test_the_templates_end_of_turn_stops_a_reply_whatever_the_model_names():
    given = small_agent.loaded(eos_token_id=None)
    given.tokenizer.eos_token = "<|endoftext|>"
    made = LocalAgent(Loaded(given.model, given.tokenizer), "small")
    assert made.stop_ids == set(given.tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|im_end|>"]))


def test_facts_say_how_it_plays():
    facts = agent().facts
    assert facts["architecture"] == "LlamaForCausalLM"
    assert (facts["dtype"], facts["decoding"], facts["max_new_tokens"]) == ("float32", "greedy", 24)
    assert facts["template_shows_tools"] is True
    assert facts["engine"] == "varlen"
    assert "engine_why" not in facts
    json.dumps(facts)


@pytest.mark.parametrize("bad", [{"max_new_tokens": 0}, {"max_batch": 0}])
def test_bounds_below_one_are_refused(bad):
    with pytest.raises(ValueError, match="must be at least 1"):
        agent(**bad)


def test_a_folder_is_loaded_in_single_precision_and_without_noise(tmp_path, capfd):
    given = small_agent.loaded()
    given.model.half().save_pretrained(tmp_path)
    given.tokenizer.save_pretrained(tmp_path)
    logging.enable_progress_bar()
    capfd.readouterr()
    made = LocalAgent(load(str(tmp_path)), "saved")
    assert made.facts["dtype"] == "float32"
    assert not made.model.training
    assert capfd.readouterr() == ("", "")
    assert logging.is_progress_bar_enabled()
    assert ask(made, "x")[0].token_ids


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
def test_a_large_model_keeps_in_single_precision_what_transformers_keeps_so(tmp_path, monkeypatch, stored):
    given = small_agent.loaded()
    given.model.to(stored).save_pretrained(tmp_path)
    given.tokenizer.save_pretrained(tmp_path)
    monkeypatch.setattr("acgym.agents.local._SMALL", 0)  # every model is a large one
    model = load(str(tmp_path)).model
    theirs = type(model).from_pretrained(tmp_path, dtype=torch.bfloat16).eval()
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert {b.dtype for b in model.buffers()} == {torch.float32}
    ids = torch.arange(40)[None] % 9 + 3
    assert torch.equal(model(input_ids=ids).logits, theirs(input_ids=ids).logits)


def test_turns_read_only_what_is_new_and_say_the_same():
    """With and without memory of earlier turns the episodes are equal; with it far fewer tokens are read."""
    played, read = [], []
    for remembering in (True, False):
        made = agent(max_new_tokens=8)
        made._engine.drafts = None
        if not remembering:
            memory = made._engine.prefix_cache
            memory.put = lambda conversation, step, memory=memory: memory.forget(conversation)
        episodes = acgym.play(made, "ACB/Household-v0", range(2), kwargs={"level": 1})
        played.append([timeless(episode) for episode in episodes])
        read.append(made._engine.reader.tokens)
    assert played[0] == played[1]
    assert max(len(episode.turns) for episode in played[0]) > 3
    assert read[0] < read[1] / 2, read
    words = [episode.sequences()[-1][0] for episode in played[0]]
    assert read[0] <= sum(map(len, words)), "no token is read twice"


def test_a_long_reply_holds_nobody_else():
    """One conversation talks on to its limit while the others, short of breath, play whole episodes."""
    ends = []

    def forward(real, inputs):
        out = real(**inputs)
        babbling = inputs["position_ids"][0][inputs["logits_to_keep"]] > 500
        out.logits[:] = 0
        out.logits[..., 7] = 1
        out.logits[0, ~babbling, 9] = 2
        return out

    made = behaving(forward, max_new_tokens=200, stops=[9])
    made._engine.drafts = None

    async def talk(name, text, turns):
        for _ in range(turns):
            await made.reply([Message("user", text)], ())
        ends.append(name)

    async def everyone():
        await asyncio.gather(talk("long", "x " * 300, 1), *(talk("short", "x", 10) for _ in range(4)))

    asyncio.run(everyone())
    assert ends == ["short"] * 4 + ["long"]


def test_models_without_plain_attention_play_too():
    given = small_agent.loaded()
    torch.manual_seed(0)
    config = MambaConfig(vocab_size=len(given.tokenizer), hidden_size=16, num_hidden_layers=1, initializer_range=0.3)
    made = LocalAgent(Loaded(MambaForCausalLM(config).eval(), given.tokenizer), "mamba", 6)
    replies = ask(made, "a", "b c d")
    assert [reply.token_ids for reply in replies] == [ask(made, text)[0].token_ids for text in ("a", "b c d")]
    assert all(len(reply.token_ids) == 6 for reply in replies)
    assert made.facts["engine"] == "padded"
    assert "attention" in made.facts["engine_why"], "the record says why"


def test_a_model_is_let_go_with_its_agent():
    made = agent(max_new_tokens=3)
    ask(made, "a")
    model = weakref.ref(made.model)
    del made
    assert model() is None


@pytest.mark.slow
@pytest.mark.parametrize("env_id", PLAYED)
def test_the_trained_agent_plays_the_same_alone_and_in_any_company(env_id):
    def digest(concurrency, count=64):
        made = LocalAgent(load(str(REFERENCE)), "reference")
        episodes = acgym.play(made, env_id, range(count), kwargs={"level": 1}, concurrency=concurrency)
        lines = [timeless(episode).to_line() for episode in episodes]
        return [hashlib.sha256("".join(lines[:n]).encode()).hexdigest() for n in (16, count)]

    in_company = digest(64)
    assert digest(8) == in_company
    assert digest(1, 16)[0] == in_company[0]
