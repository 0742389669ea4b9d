"""The engine says what transformers says to each prompt alone, whatever the company, the memory and the drafts."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym.agents.base import AgentFailure
from acgym.agents.decoding import Decoding
from acgym.agents.engine import engine as engine_module
from acgym.agents.engine.engine import Engine
from acgym.agents.engine.padded import Padded
from acgym.agents.engine.reply_state import Rules
from acgym.agents.engine.speculation import Drafts
from acgym.agents.engine.varlen import reader_of
from tests.helpers.asked import answers
from tests.helpers.families import OTHERS, READABLE, alone, make, prompts

LENGTHS = (3, 17, 1, 90, 9, 33)
_MODELS: dict = {}
_ALONE: dict = {}


def model_of(family="llama"):
    if family not in _MODELS:
        _MODELS[family] = make(family)
    return _MODELS[family]


def server(family="llama", *, stops=(), max_batch=64, drafts=None, state_bytes=None):
    model = model_of(family)
    rules = Rules(Decoding(), stops)
    if family in OTHERS:
        return Padded(model, rules, max_batch)
    return Engine(reader_of(model), rules, max_batch, drafts, state_bytes)


def said_alone(prompt, limit, stops=(), family="llama"):
    key = (family, tuple(prompt), limit, tuple(stops))
    if key not in _ALONE:
        _ALONE[key] = alone(model_of(family), prompt, limit, stops)
    return _ALONE[key]


async def talk(made, turns, limit=8):
    """One conversation: each turn's words after all that was said before."""
    ids, seen, replies = [], (), []
    for words in turns:
        ids = [*ids, *words]
        replies.append((await made.answer(ids, limit, seen)).token_ids)
        ids = [*ids, *replies[-1]]
        seen = tuple(ids)
    return replies


def talk_alone(turns, limit=8):
    ids, replies = [], []
    for words in turns:
        ids = [*ids, *words]
        replies.append(said_alone(ids, limit))
        ids = [*ids, *replies[-1]]
    return replies


@pytest.mark.parametrize("family", [*READABLE, *OTHERS])
def test_a_company_is_answered_as_each_is_alone(family):
    free = answers(server(family), prompts(LENGTHS))
    assert free == [said_alone(prompt, 12, family=family) for prompt in prompts(LENGTHS)]
    assert len({tuple(reply) for reply in free}) > 3, "the model says the same to everyone: the test shows nothing"
    # Stop tokens that are said at different times.
    stops = {free[0][2], free[1][5], free[3][8]}
    stopped = answers(server(family, stops=stops), prompts(LENGTHS))
    assert stopped == [said_alone(prompt, 12, stops, family) for prompt in prompts(LENGTHS)]
    assert len({len(reply) for reply in stopped}) > 1


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=8),
    limits=st.lists(st.integers(1, 14), min_size=8, max_size=8),
    late=st.lists(st.integers(0, 6), min_size=8, max_size=8),
    max_batch=st.sampled_from([1, 2, 64]),
    state_bytes=st.sampled_from([1, 40_000, 100_000, None]),
    drafts=st.booleans(),
    step_tokens=st.sampled_from([7, 1024]),
)
def test_nothing_but_the_prompt_decides(lengths, limits, late, max_batch, state_bytes, drafts, step_tokens):
    """Arrival order, batch size, memory, drafts and the size of a step change no reply."""
    all_prompts = prompts(lengths, seed=7)
    before, engine_module.STEP_TOKENS = engine_module.STEP_TOKENS, max(step_tokens, max_batch + 1)
    made = server(max_batch=max_batch, state_bytes=state_bytes, drafts=Drafts() if drafts else None)

    async def one(prompt, limit, turns):
        for _ in range(turns):
            await asyncio.sleep(0.001)
        return (await made.answer(prompt, limit)).token_ids

    async def everyone():
        return await asyncio.gather(*(one(p, n, t) for p, n, t in zip(all_prompts, limits, late, strict=False)))

    try:
        got = asyncio.run(everyone())
    finally:
        engine_module.STEP_TOKENS = before
    assert got == [said_alone(p, 14)[:n] for p, n in zip(all_prompts, limits, strict=False)]


@pytest.mark.parametrize("state_bytes", [None, 200_000, 1])
@pytest.mark.parametrize("drafts", [False, True])
def test_turns_are_answered_as_if_read_whole(state_bytes, drafts):
    made = server(state_bytes=state_bytes, drafts=Drafts() if drafts else None)
    talks = [prompts((20, 5, 30, 1), seed=seed) for seed in range(6)]

    async def everyone():
        return await asyncio.gather(*(talk(made, turns) for turns in talks))

    assert asyncio.run(everyone()) == [talk_alone(turns) for turns in talks]


def test_a_turn_costs_its_new_tokens_only():
    made = server()
    turns = prompts((50, 20, 10))
    asyncio.run(talk(made, turns, limit=8))
    # A reply's last token is read with the next turn; nobody reads that of the last turn.
    assert made.reader.tokens == 50 + 20 + 10 + 3 * 8 - 1


def test_a_common_beginning_is_read_once():
    made = server()
    common = prompts((96,))[0]
    all_prompts = [[*common, *rest] for rest in prompts((5, 9, 40), seed=3)]
    assert answers(made, all_prompts, 4) == [said_alone(prompt, 4) for prompt in all_prompts]
    assert made.reader.tokens == 96 + 5 + 9 + 40 + 3 * 3
    # Later ones too, as long as somebody remembers it.
    (late,) = prompts((3,), seed=4)
    assert answers(made, [[*common, *late]], 4) == [said_alone([*common, *late], 4)]
    assert made.reader.tokens == 96 + 5 + 9 + 40 + 3 * 3 + 3 + 3


def test_a_beginning_outlives_nobody_who_holds_it():
    """What was shared is looked up no more when its owner's states are given up."""
    made = server(state_bytes=1)
    common = prompts((96,))[0]
    for rest in prompts((5, 9), seed=3):
        assert answers(made, [[*common, *rest]], 4) == [said_alone([*common, *rest], 4)]
    assert made.prefix_cache._prefixes == {}
    assert made.pool.bytes == 0


def test_known_replies_are_checked_in_few_steps_and_wrong_ones_change_nothing():
    prompt = prompts((20,))[0]
    reply = said_alone(prompt, 24)
    steps = {}
    for name, known in {"nothing": (), "right": reply, "wrong": reply[::-1], "half": [*reply[:12], 1, 2, 3, 4]}.items():
        drafts = Drafts()
        drafts.guess = lambda *args: []
        if known:
            drafts.know(prompt, known)
        made = server(drafts=drafts)
        count = 0
        step = made._step

        def counted(step=step):
            nonlocal count
            count += 1
            return step()

        made._step = counted
        assert answers(made, [prompt], 24) == [reply]
        steps[name] = count
    assert steps["right"] == 1
    assert steps["nothing"] == 24
    assert steps["half"] <= 13
    assert steps["wrong"] <= 24


@pytest.mark.parametrize("lengths", [(3,), (10, 40, 14, 16, 17)])
def test_drafts_do_not_cross_the_length_where_positions_change(lengths):
    """Beyond 16 tokens this model tells all positions in another way, those it has read too."""
    family, drafts = "phi3, long positions", Drafts()
    expected = [said_alone(prompt, 24, family=family) for prompt in prompts(lengths)]
    for prompt, reply in zip(prompts(lengths), expected, strict=True):
        drafts.know(prompt, reply)
    assert answers(server(family, drafts=drafts), prompts(lengths), 24) == expected


def test_memory_is_bounded():
    """After every step at most one row's growth is above the budget; without a budget much more is held."""
    budget = 60_000
    most = {}
    for state_bytes in (budget, None):
        made = server(state_bytes=state_bytes)
        peak = 0
        step = made._step

        def watched(step=step, made=made):
            nonlocal peak
            done = step()
            peak = max(peak, made.pool.bytes)
            return done

        made._step = watched
        turns = [prompts((40, 10, 10), seed=seed) for seed in range(12)]

        async def everyone(made=made, turns=turns):
            return await asyncio.gather(*(talk(made, each) for each in turns))

        assert asyncio.run(everyone()) == [talk_alone(each) for each in turns]
        most[state_bytes] = peak
    row = made.pool.row_bytes(128)
    assert most[budget] <= budget + row
    assert most[None] > 3 * budget


def test_who_will_soon_be_back_keeps_the_states():
    """Where memory is short conversations follow one another; they are not read again in turn."""
    turns = 6
    talks = [prompts((20, *[4] * (turns - 1)), seed=seed) for seed in range(12)]
    made = server(state_bytes=4 * server().pool.row_bytes(128))

    async def everyone():
        return await asyncio.gather(*(talk(made, each) for each in talks))

    assert asyncio.run(everyone()) == [talk_alone(each) for each in talks]
    once = len(talks) * (20 + (turns - 1) * 4 + turns * 8 - 1)
    assert made.reader.tokens < 1.3 * once, "conversations were read again although they went on at once"


def test_blocks_are_given_back():
    made = server(state_bytes=1)
    answers(made, prompts(LENGTHS))
    assert made.pool.bytes == 0, "nothing may rest without memory"


def behaving(forward, **kwargs):
    """A server whose model's forward is ``forward(real_forward, inputs)``, once it has been found readable."""
    model = make("llama")
    made = Engine(reader_of(model), Rules(Decoding(), ()), kwargs.pop("max_batch", 64), None, **kwargs)
    real = model.forward
    model.forward = lambda **inputs: forward(real, inputs)
    return made


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_where_memory_ends_half_go_on_and_a_lone_prompt_fails(error):
    def forward(real, inputs):
        if len(inputs["acgym_plan"].groups) and sum(g.rows for g in inputs["acgym_plan"].groups) > limit:
            raise error
        return real(**inputs)

    limit = 2
    made = behaving(forward)
    assert answers(made, prompts(LENGTHS)) == [said_alone(prompt, 12) for prompt in prompts(LENGTHS)]
    assert made.max_batch <= 2
    limit = 0
    made = behaving(forward)

    async def everyone():
        return await asyncio.gather(*(made.answer(p, 5) for p in prompts((3, 4))), return_exceptions=True)

    failed = asyncio.run(everyone())
    assert all(isinstance(reply, AgentFailure) and "out of memory with a prompt" in str(reply) for reply in failed)
    assert made.pool.bytes == 0


def test_a_bug_is_raised_where_each_reply_is_awaited_and_the_next_run_is_served():
    broken = True

    def forward(real, inputs):
        if broken:
            raise KeyError("layer")
        return real(**inputs)

    made = behaving(forward)

    async def everyone():
        return await asyncio.gather(*(made.answer(p, 5) for p in prompts((3, 4))), return_exceptions=True)

    assert [type(reply) for reply in asyncio.run(everyone())] == [KeyError, KeyError]
    assert made.pool.bytes == 0
    broken = False
    assert answers(made, prompts((3, 4)), 5) == [said_alone(p, 5) for p in prompts((3, 4))]


def test_who_is_given_up_leaves_and_holds_no_memory():
    rows = []

    def forward(real, inputs):
        rows.append(sum(group.rows for group in inputs["acgym_plan"].groups))
        if len(rows) == 3:
            tasks[1].cancel()
        return real(**inputs)

    made = behaving(forward)

    async def three():
        nonlocal tasks
        tasks = [asyncio.create_task(made.answer(p, 9)) for p in prompts((4, 5, 6))]
        return await asyncio.gather(*tasks, return_exceptions=True)

    tasks = []
    first, given_up, last = asyncio.run(three())
    assert isinstance(given_up, asyncio.CancelledError)
    assert rows[:5] == [3, 3, 3, 2, 2]
    assert [first.token_ids, last.token_ids] == [said_alone(p, 9) for p in (prompts((4, 5, 6))[i] for i in (0, 2))]
    assert len(made.prefix_cache._resting) == 2


def test_a_run_that_ends_waits_for_the_step_under_way():
    """Nobody else may use the model before: its attention is exchanged meanwhile."""
    inside = []

    def forward(real, inputs):
        inside.append("in")
        time.sleep(0.2)
        try:
            return real(**inputs)
        finally:
            inside.append("out")

    made = behaving(forward)

    async def impatient():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await made.answer([1, 2, 3], 50)

    asyncio.run(impatient())
    assert inside == ["in", "out"]
    assert made._loop is None
    assert answers(made, prompts((3,)), 2) == [said_alone(prompts((3,))[0], 2)]


def test_event_loops_in_two_threads_are_both_served():
    made = server()
    got = {}

    def run(i):
        for n in range(4):
            got[i, n] = answers(made, prompts((5 + i, 6 + n)), 6 + 10 * i)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a loop waits for ever"
    for (i, n), replies in got.items():
        assert replies == [said_alone(p, 6 + 10 * i) for p in prompts((5 + i, 6 + n))]


@pytest.mark.parametrize("kind", ["llama", "mamba"])
@pytest.mark.parametrize(("prompt", "room"), [([], 5), ([1], 0)])
def test_what_cannot_be_answered_is_refused(kind, prompt, room):
    with pytest.raises(ValueError, match=f"got {len(prompt)} tokens and room for {room}"):
        asyncio.run(server(kind).answer(prompt, room))


def test_speakers_are_not_kept_waiting_by_a_long_prompt(monkeypatch):
    monkeypatch.setattr(engine_module, "STEP_TOKENS", 16)
    made = server(max_batch=8)
    ends = []

    async def one(name, prompt, limit):
        await made.answer(prompt, limit)
        ends.append(name)

    async def everyone():
        long, *short = prompts((400, 3, 3, 3))
        await asyncio.gather(one("long", long, 1), *(one("short", prompt, 6) for prompt in short))

    asyncio.run(everyone())
    assert ends == ["short"] * 3 + ["long"]
