"""Every prompt tells one date, so that the same run asks the same thing on any day."""

from __future__ import annotations

import datetime

import pytest
from transformers.utils import chat_template_utils

from acgym.agents.prompt import PromptBuilder
from acgym.agents.template_date import TEMPLATE_DATE, asks_the_date, on_one_day
from acgym.types import Message
from tests.helpers.small_agent import CHATML, tokenizer

SHAPES = ["%Y-%m-%d", "%d %b %Y", "%B %d, %Y", "%A", "%H:%M:%S", "%y%j%I%p"]


def on(year, monkeypatch):
    """Let the clock stand in another year."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(year, 7, 8, 9, 10, 11, tzinfo=tz)

    monkeypatch.setattr(chat_template_utils, "datetime", Clock)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_clock_changes_no_prompt(shape, monkeypatch):
    template = f"\n  {{%- set d = strftime_now('{shape}') %}}Today is {{{{ d }}}}.\n{CHATML}"
    prompts = []
    for year in (2027, 2031):
        on(year, monkeypatch)
        build = PromptBuilder(tokenizer(template), "the model")
        prompts.append(build.render([Message("user", "Go.")], ()))
        assert build.facts["template_date"] == TEMPLATE_DATE.date().isoformat()
    assert prompts[0] == prompts[1]
    assert prompts[0].lstrip().startswith(f"Today is {TEMPLATE_DATE.strftime(shape)}.<")


@pytest.mark.parametrize("start", ["", "\n", "  ", "\n\n x", "  {% if true %}\n  y{% endif %}"])
def test_nothing_but_the_date_changes(start, monkeypatch):
    template = f"{start}{CHATML}{{{{ strftime_now('%Y') }}}}"
    on(2026, monkeypatch)
    tok = tokenizer(template)
    chat = [{"role": "user", "content": "Go."}]
    frozen = tok.apply_chat_template(chat, chat_template=on_one_day(template), tokenize=False)
    assert frozen == tok.apply_chat_template(chat, tokenize=False)


def test_a_template_without_a_date_is_left_alone():
    assert on_one_day(CHATML) == CHATML
    assert not asks_the_date(CHATML)
    assert "template_date" not in PromptBuilder(tokenizer(CHATML), "the model").facts
