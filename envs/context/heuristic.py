"""The simple heuristic of the needle: search the text for the name, and copy the code of that sentence."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[^.]+\.")
_CODE = re.compile(r'"(\d+)"')


def copy_codes(observation: str) -> str:
    """Answer with the code in the sentence that holds the name; with the first code of the text if none has both.

    It reads no links between names: ``"a" has the same code as "b".`` holds no code.

    Args:
        observation: the first observation, text and question.
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
