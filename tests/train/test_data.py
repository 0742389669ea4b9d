"""What the reference agent learns from: the oracle's words as targets, batches that any process makes the same."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

from acgym.agents.local import LocalAgent
from acgym.demonstrations import Demonstration, demonstrate, demonstrations
from acgym.draw import Draw
from acgym.envs.names import names
from acgym.seeds import TRAINING_SEEDS
from acgym.train.data import (
    IGNORE,
    RECALL,
    Batch,
    decisions,
    group,
    recall_practice,
    repeat_practice,
    tokenise,
)
from acgym.train.watch import held_out
from acgym.types import Message
from tests.helpers import small_agent
from tests.helpers.practised import NEEDLE, practice
from tests.helpers.registry import PLAYED
from tests.helpers.toys import ECHO, Echo


def test_only_the_agents_words_and_their_end_are_targets():
    tok = small_agent.tokenizer()
    talk = (Message("user", "one?"), Message("assistant", "10"), Message("tool", "2"), Message("assistant", "3"))
    ids, targets = tokenise(tok, Demonstration("by hand", talk, ()))
    shown = [
        (a, None if b == IGNORE else tok.convert_ids_to_tokens(b))
        for a, b in zip(tok.convert_ids_to_tokens(ids), targets, strict=True)
    ]
    start, end = "<|im_start|>", "<|im_end|>"
    question = [(token, None) for token in tok.convert_ids_to_tokens(tok.encode("one?"))]
    assert shown == [
        *((start, None), ("user\n", None), *question, (end, None), ("\n", None)),
        *((start, None), ("assistant\n", "1"), ("1", "0"), ("0", end), (end, None), ("\n", None)),
        *((start, None), ("tool\n", None), ("2", None), (end, None), ("\n", None)),
        *((start, None), ("assistant\n", "3"), ("3", end), (end, None), ("\n", None)),
    ]


@pytest.mark.parametrize("env_id", PLAYED)
def test_a_demonstration_read_by_the_player_is_the_one_learnt_from(env_id):
    """The prompt of the agent at play is a prefix of the training sequence, so nothing is learnt that it never sees."""
    tok = small_agent.tokenizer()
    (shown,) = demonstrations(env_id, [3], level=1)
    ids, targets = tokenise(tok, shown)
    assert tok.decode(ids) == tok.apply_chat_template(shown.as_chat(), tools=list(shown.tools) or None, tokenize=False)
    said = tok.decode([t for t in targets if t != IGNORE])
    assert said == "".join(m.content + "<|im_end|>" for m in shown.messages if m.role == "assistant")
    prompt = LocalAgent(small_agent.loaded(), "small").prompts.ids(shown.messages[:1], shown.tools)
    assert ids[: len(prompt)] == prompt
    assert targets[len(prompt) - 1] != IGNORE


def test_a_demonstration_that_fails_is_not_learnt_from():
    class Wrong(Echo):
        def oracle(self):
            return "xx"

    with pytest.raises(RuntimeError, match="did not solve the train task of seed 4"):
        demonstrate(Wrong(level=1), 4)
    assert demonstrate(gym.make(ECHO, level=1), 4).env == ECHO


def test_recall_asks_for_values_that_stand_in_the_question():
    for seed in range(30):
        question, answer = recall_practice(Draw(np.random.default_rng(seed))).messages
        facts = question.content.split("\n")[0]
        said = answer.content.split(". ")
        assert sorted(fact.rstrip(".") for fact in said) == sorted(fact.rstrip(".") for fact in facts.split(". "))
        asked = question.content.split("Repeat ")[1].rstrip(".").split(", ")
        assert [fact.split(" is ")[0] for fact in said] == asked


def test_repeating_says_the_line_twice_with_names_of_the_training_split():
    for seed in range(30):
        question, answer = repeat_practice(Draw(np.random.default_rng(seed)), (" a", " b")).messages
        line = question.content.removeprefix("Repeat:").removesuffix("\n")
        assert answer.content == f"{line}\n{line}"
        assert set(line.split('"')[1::2]) <= set(names("train"))


def test_batches_by_hand():
    rows = [([1] * n, [2] * (n - 1) + [IGNORE]) for n in (7, 40, 2100, 17)]
    alone, together = group(rows)
    assert tuple(alone.ids.shape) == (1, 2112)  # 2100 up to a multiple of 16; 2048 // 2112 rows, but at least one
    assert tuple(together.ids.shape) == (10, 48)  # 2048 // 48 = 42 rows, of which three need a quarter
    assert [int((row != 0).sum()) for row in together.ids] == [40, 17, 7] + [0] * 7
    assert together.targets[2].tolist() == [2] * 6 + [IGNORE] * 42
    assert (together.targets[3:] == IGNORE).all()
    assert group([]) == []


def test_decisions_by_hand():
    targets = torch.tensor([[IGNORE, 5, IGNORE], [6, IGNORE, 7]])
    kept, wanted = decisions(Batch(torch.zeros(2, 3, dtype=torch.long), targets))
    assert (kept[:3].tolist(), wanted[:3].tolist()) == ([1, 3, 5], [5, 6, 7])
    assert len(kept) == len(wanted) == 256
    assert (wanted[3:] == IGNORE).all()


def test_a_step_has_its_tokens_and_practice_fades():
    data = practice()
    assert len(data) == 6
    for step in range(3):
        real = sum(int((batch.ids != 0).sum()) for batch in data[step])
        assert 256 <= real < 256 + 1500
    assert [data._share(RECALL, step) for step in (0, 1, 2, 4, 100)] == [1.0, 0.75, 0.5, 0.05, 0.05]
    assert data._share(NEEDLE, 100) == 0.5


@pytest.mark.slow
def test_batches_are_the_same_in_any_process(tmp_path):
    file = tmp_path / "batches.pickle"
    code = (
        "import pickle, sys; from tests.helpers.practised import practice; data = practice();"
        f"pickle.dump([[(b.ids, b.targets) for b in data[s]] for s in (4, 1)], open({str(file)!r}, 'wb'))"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={**os.environ, "PYTHONHASHSEED": "7"})
    there = pickle.loads(file.read_bytes())
    data = practice()
    assert not torch.equal(data[4][0].ids, data[1][0].ids)
    for step, batches in zip((4, 1), there, strict=True):
        here = data[step]
        assert len(here) == len(batches)
        for batch, (ids, targets) in zip(here, batches, strict=True):
            assert torch.equal(batch.ids, ids)
            assert torch.equal(batch.targets, targets)


def test_held_out_conversations_are_of_the_evaluation_split():
    tok = small_agent.tokenizer()
    watched = held_out(tok, [NEEDLE], count=3)
    assert sum(int((batch.targets != IGNORE).any(1).sum()) for batch in watched[NEEDLE]) == 3  # others are padding
    (shown,) = demonstrations(NEEDLE, [TRAINING_SEEDS[0]], "eval", level=1)
    ids, _ = tokenise(tok, shown)
    rows = [row[: len(ids)] for batch in watched[NEEDLE] for row in batch.ids.tolist()]
    assert ids in rows
