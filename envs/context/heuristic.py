"""The simple heuristics of the needle: search for the name or the words asked for, and copy what is there."""

from __future__ import annotations

import re

from acgym.envs.context.stop_words import STOP_WORDS
from acgym.envs.names import words

_SENTENCE = re.compile(r"[^.]+\.")
_CODE = re.compile(r'"(\d+)"')
_END = re.compile(r"(?<=[.!?;])\s+")
_WORD = re.compile(r"[A-Za-z]+|\d+")
_COMMON = STOP_WORDS | frozenset(
    words("much he she are were as under one these people person uses opens open code number")
)


def copy_codes(observation: str) -> str:
    """Answer with the code in the sentence that holds the name; with the first code of the text if none has both.

    It reads no links between names: ``"a" has the same code as "b".`` holds no code.

    Args:
        observation: the first observation of level 1, text and question.
    """
    text, _, question = observation.rpartition("\nQuestion:")
    text = text.partition("\nText:")[2]
    codes = _CODE.findall(text)
    found = []
    for name in re.findall(r'"([^"]+)"', question):
        with_name = [sentence for sentence in _SENTENCE.findall(text) if f'"{name}"' in sentence]
        here = [code for sentence in with_name for code in _CODE.findall(sentence)]
        found.append([*here, *codes, "0"][0])
    return "Answer: " + ", ".join(found)


def search(observation: str) -> str:
    """Answer each question with what the sentence says that shares most words with it: a number, else a name.

    ``How many``: the number of sentences with the full name and another word of the question. ``How many kilograms``,
    ``weight``: the sum of the numbers of those sentences that stand before ``kg``. Of sentences that are equally
    near, the last. It knows neither dates nor links nor what a sentence means.

    Args:
        observation: the first observation of levels 2 to 5.
    """
    text, _, asked = observation.rpartition("\nQuestion:")
    text = text.partition("\nText:")[2]
    sentences = [(sentence, _content(sentence)) for sentence in _END.split(text)]
    questions = [question for question in re.split(r"(?<=\?)\s+", asked.strip()) if question]
    return "Answer: " + ", ".join(_found(question, sentences) for question in questions)


def _content(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if word not in _COMMON}


def _found(question: str, sentences: list[tuple[str, set[str]]]) -> str:
    words = _content(question)
    name = re.search(r"[A-Z][a-z]+ [A-Z][a-z]+", question)
    if name and re.search(r"How many|weight", question):
        about = [said for said, content in sentences if name[0] in said and content & {"parcel", "parcels", "sent"}]
        weights = [int(number) for said in about for number in re.findall(r"(\d+) kg", said)]
        return str(sum(weights) if re.search("kilograms|weight", question) else len(about))
    best = max(sentences, key=lambda each: len(words & each[1]) - 0.001 * len(each[1]), default=("", set()))[0]
    if question.startswith(("With", "What", "Which", "Under", "On")):
        numbers = [number for number in re.findall(r"\d+", best) if number not in question]
        return numbers[-1] if numbers else "0"
    places = [place for place in re.findall(r"(?:to|from) ([A-Z][a-z]+)", best) if place not in question]
    listed = re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+", question)
    return places[-1] if places else listed[0] if listed else "nothing"
