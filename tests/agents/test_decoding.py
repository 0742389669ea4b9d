"""What a reply is made of: draws that depend on the prompt alone, where it ends, and how likely its words were."""

from __future__ import annotations

import asyncio
import json
import math

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TopKLogitsWarper, TopPLogitsWarper
from typer.testing import CliRunner

import acgym
from acgym.agents.decoding import Decoding
from acgym.agents.engine.engine import Engine
from acgym.agents.engine.padded import Padded
from acgym.agents.engine.reply_state import Rules, Writing
from acgym.agents.engine.sampling import prompt_key, sample, uniform
from acgym.agents.engine.speculation import Drafts
from acgym.agents.engine.varlen import reader_of
from acgym.agents.local import LocalAgent
from acgym.assemble.models import Models
from acgym.assemble.spec import parse_spec
from acgym.cli.app import app
from acgym.experiment.settings import prepare
from acgym.listener import Listener
from acgym.record.run import Run
from acgym.types import Message
from tests.helpers import small_agent
from tests.helpers.asked import answers
from tests.helpers.families import make, prompts
from tests.helpers.tiny import save_model

SAMPLED = Decoding(temperature=0.8, top_p=0.9, top_k=40, seed=3)


def engine(decoding, *, padded=False, drafts=None, stops=(), **kwargs):
    model = make("llama")
    rules = Rules(decoding, stops)
    return Padded(model, rules, 64) if padded else Engine(reader_of(model), rules, 64, drafts, **kwargs)


class TestTheOptions:
    def test_the_default_is_greedy_and_says_nothing(self):
        assert Decoding().greedy
        assert Decoding().to_dict() == {}

    @pytest.mark.parametrize(
        "options",
        [
            {"temperature": 0.7, "top_p": 0.9, "top_k": 5, "seed": 2**64 - 1},
            {"stop": ["\nObservation:", "x"], "max_new_tokens": 3, "thinking_tokens": 0},
            {"logprobs": True, "json_schema": {"type": "object"}},
        ],
    )
    def test_they_travel_as_json(self, options):
        made = Decoding.from_dict(options)
        assert made.to_dict() == options
        assert Decoding.from_dict(json.loads(json.dumps(made.to_dict()))) == made

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"temprature": 1}, "has no option 'temprature'; did you mean 'temperature'.*top_p"),
            ({"temperature": -1}, r"temperature must be a number from 0 on \(0 is greedy\), got -1"),
            ({"temperature": math.nan}, "temperature must be a number"),
            ({"temperature": True}, "temperature must be a number"),
            ({"top_p": 0}, "top_p must be a number above 0 and at most 1, got 0"),
            ({"top_p": 1.1}, "top_p"),
            ({"top_k": 1.5}, "top_k must be a whole number"),
            ({"seed": -1}, "seed must be a whole number from 0 on"),
            ({"seed": 2**64}, "below 2"),
            ({"stop": [""]}, "stop must be a list of texts"),
            ({"stop": [3]}, "stop must be a list of texts"),
            ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
            ({"thinking_tokens": -1}, "thinking_tokens must be at least 0"),
            ({"logprobs": 1}, "logprobs must be true or false"),
            ({"json_schema": "object"}, "json_schema must be a JSON object"),
        ],
    )
    def test_what_cannot_be_is_refused(self, options, message):
        with pytest.raises(ValueError, match=message):
            Decoding.from_dict(options)


class TestDraws:
    def test_they_are_even_and_depend_on_every_part_of_their_key(self):
        draws = [uniform(1, 2, position) for position in range(4000)]
        assert all(0 <= draw < 1 for draw in draws)
        shares = np.histogram(draws, bins=10, range=(0, 1))[0]
        assert ((shares - 400) ** 2 / 400).sum() < 30  # chi square with 9 degrees of freedom, p < 0.001 above 28
        assert len({uniform(1, 2, 3), uniform(2, 2, 3), uniform(1, 3, 3), uniform(1, 2, 4)}) == 4
        assert prompt_key([1, 2]) != prompt_key([2, 1]) != prompt_key([1, 2, 0])

    def test_by_hand(self):
        """Probabilities 0.5, 0.25, 0.25: the distribution function is 0.5, 0.75, 1."""
        logits = torch.tensor([[2.0, 1.0, 1.0]]).log().repeat(5, 1)
        draws = [0.0, 0.49, 0.51, 0.74, 0.76]
        assert sample(logits, draws, 1.0, 1.0, 0) == [0, 0, 1, 1, 2]
        # At half the temperature probabilities are squared: 4/6, 1/6, 1/6.
        assert sample(logits, [0.6, 0.7, 0.8, 0.83, 0.84], 0.5, 1.0, 0) == [0, 1, 1, 1, 2]
        assert sample(logits, draws, 1.0, 0.5, 0) == [0] * 5
        assert sample(logits, draws, 1.0, 1.0, 1) == [0] * 5
        assert sample(logits[:1], [0.99], 1e-30, 1.0, 0) == [0]

    @settings(max_examples=60, deadline=None)
    @given(seed=st.integers(0, 1000), top_p=st.floats(0.05, 1), top_k=st.integers(0, 300), size=st.integers(2, 300))
    def test_what_may_be_drawn_is_what_transformers_keeps(self, seed, top_p, top_k, size):
        generator = torch.Generator().manual_seed(seed)
        logits = 3 * torch.randn(1, size, generator=generator)
        kept = TopKLogitsWarper(top_k)(None, logits / 0.7) if 0 < top_k < size else logits / 0.7
        chances = torch.softmax(TopPLogitsWarper(top_p)(None, kept), -1)[0].double()
        edges = chances.cumsum(0) / chances.sum()
        allowed = set(chances.nonzero()[:, 0].tolist())
        draws = [uniform(seed, 0, i) for i in range(20)]
        got = sample(logits.expand(20, size), draws, 0.7, top_p, top_k)
        assert set(got) <= allowed
        for draw, token in zip(draws, got, strict=True):
            before = edges[token - 1].item() if token else 0.0
            assert before - 1e-6 <= draw <= edges[token].item() + 1e-6

    def test_not_a_number_is_still_a_token(self):
        (token,) = sample(torch.full((1, 5), torch.nan), [0.5], 1.0, 0.9, 0)
        assert 0 <= token < 5


class TestSampledReplies:
    @pytest.mark.parametrize("decoding", [SAMPLED, Decoding(temperature=1.5)], ids=["nucleus", "free"])
    def test_company_memory_drafts_and_padding_change_no_reply(self, decoding):
        all_prompts = prompts((3, 17, 1, 60, 9))
        alone = [answers(engine(decoding), [prompt], 20)[0] for prompt in all_prompts]
        assert len({tuple(reply) for reply in alone}) == 5
        right, wrong = Drafts(), Drafts()
        for prompt, reply in zip(all_prompts, alone, strict=True):
            right.know(prompt, reply)
            wrong.know(prompt, reply[::-1])
        assert answers(engine(decoding), all_prompts, 20) == alone
        assert answers(engine(decoding), all_prompts[::-1], 20) == alone[::-1]
        assert answers(engine(decoding, state_bytes=60_000), all_prompts, 20) == alone
        assert answers(engine(decoding, padded=True), all_prompts, 20) == alone
        for drafts in (right, wrong, Drafts()):
            assert answers(engine(decoding, drafts=drafts), all_prompts, 20) == alone

    def test_another_seed_says_something_else_and_the_same_the_same(self):
        (prompt,) = prompts((9,))
        said = [answers(engine(Decoding(temperature=1.0, seed=seed)), [prompt], 20)[0] for seed in (1, 1, 2)]
        assert said[0] == said[1] != said[2]

    def test_words_are_said_as_often_as_they_are_likely(self):
        (prompt,) = prompts((6,))
        made = engine(Decoding(temperature=1.0, top_k=4))
        with torch.inference_mode():
            best = torch.softmax(made.reader.model(torch.tensor([prompt])).logits[0, -1], -1).topk(4)
        count = dict.fromkeys(best.indices.tolist(), 0)
        rules = [Rules(Decoding(temperature=1.0, top_k=4, seed=seed), ()) for seed in range(600)]
        logits = best.values.log().new_full((1, 64), -50).scatter(1, best.indices[None], best.values.log()[None])
        for rule in rules:
            count[rule.choose(logits, [(Writing(rule, prompt, 1), [])])[0][0]] += 1
        expected = 600 * best.values / best.values.sum()
        off = sum(
            (count[token] - want) ** 2 / want for token, want in zip(best.indices.tolist(), expected, strict=True)
        )
        assert off < 16.3  # chi square with 3 degrees of freedom: p = 0.001


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("decoding", [Decoding(logprobs=True), Decoding(temperature=0.9, top_k=5, logprobs=True)])
def test_log_probabilities_are_those_of_the_model_itself(padded, decoding):
    prompt = prompts((9,))[0]
    drafts = Drafts()
    drafts.know(prompt, answers(engine(decoding), [prompt], 12)[0][:7])
    made = engine(decoding, padded=padded, drafts=drafts)
    said = asyncio.run(made.answer(prompt, 12))
    model = make("llama")
    with torch.inference_mode():
        likely = torch.log_softmax(model(torch.tensor([[*prompt, *said.token_ids]])).logits[0].float(), -1)
    own = [likely[len(prompt) - 1 + i, token].item() for i, token in enumerate(said.token_ids)]
    assert said.logprobs == pytest.approx(own, abs=1e-4)
    assert asyncio.run(engine(Decoding()).answer(prompt, 3)).logprobs is None


def speaking(script, **decoding):
    """An agent whose model says ``script`` (text) and then ends its turn, whatever it is told."""
    given = small_agent.loaded()
    made = LocalAgent(given, "small", None, decoding=Decoding(**decoding))
    tok = given.tokenizer
    ids = [*tok.encode(script, add_special_tokens=False), tok.eos_token_id]
    real = given.model.forward

    def forward(input_ids=None, position_ids=None, acgym_plan=None, **inputs):
        out = real(input_ids=input_ids, position_ids=position_ids, acgym_plan=acgym_plan, **inputs)
        positions = position_ids[0][inputs["logits_to_keep"]].tolist() if acgym_plan else []
        for row, position in enumerate(positions):
            at = position + 1 - made.begins
            out.logits[0, row] = 0.0
            out.logits[0, row, ids[at] if 0 <= at < len(ids) else tok.eos_token_id] = 9.0
        return out

    _ = made._engine  # found readable as it is
    given.model.forward = forward
    return made


def hear(made, words="Go."):
    talk = [Message("user", words)]
    made.begins = len(made.prompts.ids(talk, ()))
    return asyncio.run(made.reply(talk, ()))


class TestWhereRepliesEnd:
    @pytest.mark.parametrize("stop", ["beta", "eta g", "a", "alpha beta gamma"])
    def test_a_stop_text_ends_a_reply_wherever_its_tokens_lie(self, stop):
        whole = "alpha beta gamma delta"
        made = speaking(whole, stop=[stop, "never said"])
        reply = hear(made)
        assert reply.text == whole[: whole.index(stop)]
        assert reply.finish_reason == "stop"
        said = made.tokenizer.decode(reply.token_ids)
        assert stop in said
        assert stop not in made.tokenizer.decode(reply.token_ids[:-1])

    def test_the_next_prompt_holds_the_text_without_the_stop_text(self):
        made = speaking("alpha beta gamma", stop=[" gam"])
        first = [Message("user", "Go.")]
        reply = hear(made)
        talk = [*first, Message("assistant", reply.text, reply), Message("user", "On.")]
        ids = made.prompts.ids(talk, ())
        assert made.tokenizer.decode(ids) == made.prompts.render(talk, ())
        assert tuple(ids[: len(reply.prompt_ids)]) == reply.prompt_ids

    def test_max_new_tokens_may_be_said_with_the_decoding(self):
        reply = hear(speaking("alpha beta gamma delta", max_new_tokens=3))
        assert (len(reply.token_ids), reply.finish_reason) == (3, "length")

    def test_thinking_has_a_budget_of_its_own(self):
        words = "<think>" + "one two three four five six seven eight nine ten " * 4 + "</think>the answer is this"
        made = speaking(words, thinking_tokens=9, max_new_tokens=4)
        reply = hear(made)
        close = made.tokenizer.encode("</think>", add_special_tokens=False)
        said = list(reply.token_ids)
        assert made.tokenizer.decode(said[:9]).startswith("<think>")
        assert said[9 : 9 + len(close)] == close
        assert len(said) == 9 + len(close) + 4
        assert reply.finish_reason == "length"

    def test_thinking_that_ends_in_time_takes_nothing_from_the_answer(self):
        words = "<think>a b</think>" + "the answer is this " * 9
        made = speaking(words, thinking_tokens=40, max_new_tokens=6)
        reply = hear(made)
        thought = len(made.tokenizer.encode("<think>a b</think>", add_special_tokens=False))
        assert thought <= 40
        assert made.tokenizer.decode(reply.token_ids[:thought]) == "<think>a b</think>"
        assert len(reply.token_ids) == thought + 6

    def test_who_does_not_think_has_the_answers_budget(self):
        reply = hear(speaking("the answer is this " * 9, thinking_tokens=40, max_new_tokens=6))
        assert len(reply.token_ids) == 6

    def test_thinking_that_the_prompt_opens_counts_too(self):
        made = speaking("one two three four five six seven eight nine ten", thinking_tokens=3, logprobs=True)
        made.tokenizer.chat_template += "{{ '<think>\\n' }}"
        reply = hear(made)
        close = made.tokenizer.encode("</think>", add_special_tokens=False)
        assert list(reply.token_ids[3 : 3 + len(close)]) == close
        assert reply.logprobs[3 : 3 + len(close)] == (None,) * len(close)
        assert None not in reply.logprobs[:3] + reply.logprobs[3 + len(close) :]

    def test_no_thinking_at_all(self):
        made = speaking("one two", thinking_tokens=0)
        made.tokenizer.chat_template += "{{ '<think>\\n' }}"
        close = made.tokenizer.encode("</think>", add_special_tokens=False)
        assert list(hear(made).token_ids[: len(close)]) == close


SCHEMA = {
    "type": "object",
    "properties": {"name": {"enum": ["open", "close"]}, "times": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["name", "times"],
    "additionalProperties": False,
}


class TestSchemas:
    @pytest.mark.parametrize("options", [{}, {"temperature": 1.2}])
    def test_a_random_model_keeps_a_schema(self, options):
        decoding = Decoding(json_schema=SCHEMA, max_new_tokens=200, **options)
        replies = []
        for drafts in (True, False):
            made = LocalAgent(small_agent.loaded(), "small", decoding=decoding)
            if not drafts:
                made._engine.drafts = None

            async def everyone(made=made):
                return await asyncio.gather(*(made.reply([Message("user", w)], ()) for w in ("a", "b c", "d e f")))

            replies.append([reply.token_ids for reply in asyncio.run(everyone())])
        assert replies[0] == replies[1]
        for reply in asyncio.run(everyone()):
            assert reply.finish_reason == "stop", reply.text
            jsonschema.validate(json.loads(reply.text), SCHEMA)

    def test_a_schema_begins_after_the_thinking_that_the_prompt_opens(self):
        decoding = Decoding(json_schema=SCHEMA, thinking_tokens=5, max_new_tokens=200)
        given = small_agent.loaded()
        given.tokenizer.chat_template += "{{ '<think>\\n' }}"
        made = LocalAgent(given, "small", decoding=decoding)
        (reply,) = [asyncio.run(made.reply([Message("user", "a")], ()))]
        text = made.tokenizer.decode(reply.token_ids, skip_special_tokens=True)
        thought, _, answer = text.partition("</think>")
        assert len(thought) > 3
        jsonschema.validate(json.loads(answer), SCHEMA)

    def test_what_cannot_be_kept_is_refused_at_once(self):
        with pytest.raises(ValueError, match="this JSON schema cannot be kept"):
            LocalAgent(small_agent.loaded(), "small", decoding=Decoding(json_schema={"type": "nonsense"}))

    def test_a_missing_package_is_named_with_its_remedy_before_a_model_is_loaded(self, monkeypatch):
        monkeypatch.setattr("acgym.agents.decoding.find_spec", lambda name: None)
        monkeypatch.setattr("acgym.agents.local.load", None)
        with pytest.raises(ImportError, match=r"pip install 'acgym\[constrained\]'"):
            acgym.agent("reference", decoding=Decoding(json_schema=SCHEMA))


class TestRuns:
    def test_settings_hold_what_is_not_the_default(self):
        plain = prepare(["reference"], ["ACB/Needle-v0"], episodes=1)
        warm = prepare(["reference"], ["ACB/Needle-v0"], episodes=1, decoding={"temperature": 0.7, "top_k": 0})
        assert "decoding" not in plain.to_dict()
        assert warm.to_dict()["decoding"] == {"temperature": 0.7}
        assert plain.default_folder != warm.default_folder

    @pytest.mark.parametrize(
        ("agent", "decoding", "message"),
        [
            ("reference", {"temprature": 1}, "did you mean 'temperature'"),
            ("reference", {"top_p": 2}, "top_p must be"),
            ("oracle", {"temperature": 1}, "a decoding is for models"),
        ],
    )
    def test_what_cannot_be_is_refused_before_anything_is_loaded(self, agent, decoding, message):
        with pytest.raises(ValueError, match=message):
            prepare([agent], ["ACB/Needle-v0"], episodes=1, decoding=decoding)
        with pytest.raises(ValueError, match=message):
            acgym.agent(agent, decoding=decoding)

    def test_all_models_of_a_run_are_decoded_alike_and_a_rerun_with_another_seed(self, tmp_path):
        name = f"hf:{save_model(tmp_path / 'm')}"
        decoding = {"temperature": 0.7, "seed": 4}
        settings = prepare([name, f"{name}+rtn-w8-g32", f"{name}@rerun"], ["ACB/Needle-v0"], decoding=decoding)
        models = Models.of(settings.to_dict(), Listener())
        made = [models.make(parse_spec(spec)) for spec in settings.agents]
        assert [agent.decoding.seed for agent, _ in made] == [4, 4, 5]
        assert {agent.decoding.temperature for agent, _ in made} == {0.7}
        assert made[0][1]["facts"]["decoding"] == decoding
        assert made[2][1]["rerun"]["sampling_seed"] == 5

    def test_the_command_line_takes_them_as_json(self, tmp_path):
        def play(out, *options):
            command = ["play", "reference", "ACB/Needle-v0", "--episodes", "2", "--out", str(tmp_path / out), *options]
            return CliRunner().invoke(app, command)

        assert play("a", "--decoding", '{"temperature": 3.0, "max_new_tokens": 5}').exit_code == 0
        run = Run.read(tmp_path / "a")
        assert run.settings["decoding"] == {"temperature": 3.0, "max_new_tokens": 5}
        assert all(len(turn.token_ids) <= 5 for e in run.episodes("reference") for turn in e.turns)
        bad = play("b", "--decoding", "warm")
        assert bad.exit_code == 2
        assert "--decoding must be a JSON object such as" in " ".join(bad.stderr.split())
