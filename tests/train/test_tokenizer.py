"""The reference tokenizer: a word is the same tokens wherever it stands, and any text comes back whole."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from acgym.envs.names import HEADS, TAILS
from acgym.train.tokenizer import build_tokenizer
from tests.helpers.small_agent import tokenizer

SMALL = build_tokenizer(
    ["Take the cup.\nTake the cup.", "Take the cup, Beladoba.", "Rules apply here.\n"] * 3,
    ("bel", "ado"),
    ("Rules apply here.",),
)
WORDS = re.findall(r"(?m)^ ([A-Za-z_]+)$", "\n".join(tokenizer().get_vocab()))
BYTE_NAME = re.compile(r"<0x[0-9A-F]{2}>")


def tokens(tok, text):
    return tok.convert_ids_to_tokens(tok.encode(text, add_special_tokens=False))


def test_a_small_text_by_hand():
    text = "Take the cup.\nRules apply here.\nbelado 10"
    assert tokens(SMALL, text) == [
        *("Take", " the", " cup", ".\n"),
        *("Rules apply here.", "\n"),
        *("bel", "ado", " ", "1", "0"),
    ]


def test_rare_words_get_no_token():
    rare = build_tokenizer(["cup cup plate"], (), (), rare=2)
    assert tokens(rare, "cup plate") == ["cup", " ", *"plate"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("\x00\x7f\ufffd")
@example("😀 é 日本 \u2028 \r\n\t")
@example("a  b   c")
@example("<|im_end|><|im_start|>user\n")
@example("▁a ▁")
@example("")
def test_any_text_comes_back_whole(text):
    assume(not BYTE_NAME.search(text))
    tok = tokenizer()
    assert tok.decode(tok.encode(text, add_special_tokens=False)) == text


def test_the_spelled_name_of_a_byte_is_the_byte():
    """The one exception to the property above, which the docstring of ``build_tokenizer`` states."""
    assert SMALL.decode(SMALL.encode("x<0x41>y", add_special_tokens=False)) == "xAy"


def test_each_closed_word_is_one_token_with_and_without_a_space():
    tok = tokenizer()
    assert len(WORDS) > 150
    for word in WORDS:
        assert tokens(tok, word) == [word]
        assert tokens(tok, f"{word} {word}") == [word, " " + word]
        assert tokens(tok, f'{word}"')[0] == word


@pytest.mark.parametrize("around", ["{}", '"{}"', "\n{}.", "({})", ': "{}", '], ids=repr)
def test_a_name_is_the_same_two_tokens_everywhere(around):
    """All 2,304 of them but one, which begins with a longer closed word."""
    tok = tokenizer()
    words = [around.format(head + tail) for head in HEADS for tail in TAILS]
    halves = [(head, tail) for head in HEADS for tail in TAILS]
    other = set()
    for pair, ids in zip(halves, tok(words, add_special_tokens=False)["input_ids"], strict=True):
        got = tok.convert_ids_to_tokens(ids)
        if pair not in list(pairwise(got)):
            other.add("".join(pair))
    assert other == {"greeno"}


def test_digits_are_single_tokens():
    assert [t for t in tokens(tokenizer(), "code 4071.") if t.isdigit()] == ["4", "0", "7", "1"]


def test_it_is_read_back_as_it_was_written(tmp_path):
    tok = tokenizer()
    tok.save_pretrained(tmp_path)
    read = AutoTokenizer.from_pretrained(tmp_path)
    text = "Take the cup.<|im_end|>\nbelado \x00 é"
    assert read.encode(text) == tok.encode(text)
    assert (read.eos_token, read.pad_token, read.chat_template) == ("<|im_end|>", "<|endoftext|>", tok.chat_template)


def test_building_is_deterministic():
    texts = ["zeta alpha zeta alpha", "alpha zeta; beta, beta"] * 3
    one, two = (build_tokenizer(texts, ("a", "b"), ("zeta alpha zeta",)) for _ in range(2))
    assert one.backend_tokenizer.to_str() == two.backend_tokenizer.to_str()


def test_the_template_writes_tools_and_tool_calls():
    call = {"function": {"name": "book", "arguments": {"room": "belado"}}}
    tools = [
        {
            "type": "function",
            "function": {
                "name": "book",
                "description": "Book a room.",
                "parameters": {
                    "type": "object",
                    "properties": {"room": {"type": "string"}, "day": {"type": "string", "enum": ["mon", "tue"]}},
                    "required": ["room"],
                },
            },
        }
    ]
    talk = [
        {"role": "user", "content": "Book belado."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "done"},
    ]
    text = tokenizer().apply_chat_template(talk, tools=tools, tokenize=False, add_generation_prompt=True)
    assert text == (
        '<|im_start|>system\nbook("room": string, "day"?: mon | tue) Book a room.\n<|im_end|>\n'
        "<|im_start|>user\nBook belado.<|im_end|>\n"
        '<|im_start|>assistant\n<tool_call>\n{"name": "book", "arguments": {"room": "belado"}}\n</tool_call>'
        "<|im_end|>\n"
        "<|im_start|>tool\ndone<|im_end|>\n<|im_start|>assistant\n"
    )
