"""The prose library: its form, its size, its split, and filler made of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from acgym.draw import Draw
from acgym.envs.context.fit import fitting, sentences_of
from acgym.envs.context.prose import library, prose


def test_paragraphs_are_whole_and_of_one_split() -> None:
    both = [library("eval"), library("train")]
    texts = [{paragraph.text for paragraph in each} for each in both]
    assert not texts[0] & texts[1]
    assert len(texts[0]) == len(both[0])
    assert len(both[0]) > 2 * len(both[1]) > 0
    for paragraph in (*both[0], *both[1]):
        assert 25 <= paragraph.words <= 140, paragraph
        assert re.fullmatch(r'["A-Z0-9].*[.?!]"?', paragraph.text), paragraph
        assert "  " not in paragraph.text
        assert "|" not in paragraph.text


def test_the_library_has_numbers_quotes_and_names_of_its_own() -> None:
    text = " ".join(paragraph.text for paragraph in library("eval"))
    assert len(re.findall(r"\d+", text)) > 100
    assert text.count('"') > 20 or text.count("'") > 100
    assert len(set(re.findall(r"[a-z] ([A-Z][a-z]+ [A-Z][a-z]+)", text))) > 20


@pytest.mark.parametrize("words", [0, 10, 100, 5000])
def test_prose_has_no_more_words_than_asked_and_nearly_as_many(words: int) -> None:
    found = prose(Draw(np.random.default_rng(1)), "eval", words)
    shortest = min(paragraph.words for paragraph in library("eval"))
    assert words - shortest < sum(paragraph.words for paragraph in found) <= max(0, words)
    assert len({paragraph.text for paragraph in found[: len(library("eval")) // 2]}) == min(
        len(found), len(library("eval")) // 2
    )


def test_a_paragraph_is_cut_at_its_sentences() -> None:
    said = 'It was 3.5 m long. "Go," he said. "Now!" They went to St. Ives, where J. Smith lived. Was it far?'
    parts = [each.text for each in sentences_of(said)]
    assert "".join(parts) == f"\n{said}"
    assert [part.strip() for part in parts] == [
        "It was 3.5 m long.", '"Go," he said.', '"Now!"', "They went to St. Ives, where J. Smith lived.", "Was it far?",
    ]  # fmt: skip


@pytest.mark.parametrize("slope", [1, 3, 7])
@pytest.mark.parametrize("limit", [5, 50, 1000, 10_000])
def test_the_most_that_fits_is_found_in_few_calls(slope: int, limit: int) -> None:
    calls = []

    def size(n: int) -> int:
        calls.append(n)
        return slope * n + n // 3 + 2

    found = fitting(size, limit, 2000)
    assert found == max(n for n in range(2001) if slope * n + n // 3 + 2 <= limit)
    assert len(calls) < 20
    assert fitting(size, 1, 2000) is None
