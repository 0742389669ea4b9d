"""LongBench's metrics of single replies (Bai et al. 2023, arXiv 2308.14508): overlap, class, number, line of code.

Each metric takes a prediction and one reference, never raises on any text, and returns a score in [0, 1]. Chinese texts
are divided by ``cut``: into characters by default, where the published code uses the words of ``jieba``
(``cut=jieba.lcut``), so that Chinese scores are comparable among themselves and not with published ones.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial

import numpy as np
from numpy.typing import NDArray

__all__ = ["METRICS", "class_score", "code_similarity", "number_share", "reply_score", "rouge_l", "token_f1"]

Cut = Callable[[str], Iterable[str]]
FIRST_LINE_ONLY = frozenset(("trec", "triviaqa", "samsum", "lsht"))
"""Data sets in which the first line of a reply counts alone: a base model goes on with further examples."""
MAX_CODE_CHARS = 2000
"""More of a line is not searched for likenesses; its length counts in full."""

_CHINESE_MARKS = (
    "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟"
    "〰〾〿–—‘’‛“”„‟…‧﹏."
)
_NO_MARKS = str.maketrans("", "", string.punctuation)
_NO_CHINESE_MARKS = str.maketrans("", "", string.punctuation + _CHINESE_MARKS)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_NUMBER = re.compile(r"\d+")


def token_f1(prediction: str, reference: str, *, cut: Cut | None = None) -> float:
    """Return the F1 of the tokens that both hold, counted as often as they stand.

    Args:
        prediction: what was said.
        reference: the answer.
        cut: None for English: lower case, no punctuation, no articles, divided at spaces. For Chinese, what divides a
            text into tokens, of which punctuation is taken off.
    """
    divide = _english if cut is None else partial(_chinese, cut=cut)
    said, wanted = Counter(divide(prediction)), Counter(divide(reference))
    same = (said & wanted).total()
    return 2 * same / (said.total() + wanted.total()) if same else 0.0


def rouge_l(prediction: str, reference: str, *, cut: Cut | None = None) -> float:
    """Return ROUGE-L F1 on the level of summaries, as the package ``rouge`` 1.0.1 defines it.

    Both texts are divided into sentences at full stops and into words at spaces. Of each pair of sentences a longest
    common subsequence is taken; F1 is that of the distinct words in any of them against the distinct words of each
    text. The package's 1e-8 in the denominator is left out, so that a text scores 1 against itself; empty words, which
    the package counts once where a text ends in ". ", are none.

    Args:
        prediction: what was said; time grows with its length times that of the reference.
        reference: the answer.
        cut: for Chinese, what divides a text into words; the sentences are then still divided at ASCII full stops.
    """
    if cut is not None:
        prediction, reference = " ".join(cut(prediction)), " ".join(cut(reference))
    said, wanted = _sentences(prediction), _sentences(reference)
    common = {word for one in wanted for other in said for word in _common_words(one, other)}
    total = len(set().union(*said)) + len(set().union(*wanted))
    return 2 * len(common) / total if common else 0.0


def class_score(prediction: str, reference: str, classes: Sequence[str]) -> float:
    """Return 1 / the number of classes that a prediction names, if the right one is among them, else 0.

    A class whose name is part of the right class's name is not counted beside it. (The published code means to do the
    same and overlooks every second of several such names, as it shortens the list that it walks over.)
    """
    named = {name for name in classes if name and name in prediction}
    named = {name for name in named if name == reference or name not in reference}
    return 1 / len(named) if reference in named else 0.0


def number_share(prediction: str, reference: str) -> float:
    """Return the share of the whole numbers in a prediction that are the first one in the reference, as written.

    The count of passages is such a number, and so is that of ``Paragraph 12`` or its Chinese form.
    """
    wanted = _NUMBER.search(reference)
    said = _NUMBER.findall(prediction)
    return said.count(wanted[0]) / len(said) if wanted and said else 0.0


def code_similarity(prediction: str, reference: str) -> float:
    """Return the likeness of the first line of code to the reference, in whole percent.

    That line is the first without a backtick, ``#`` or ``//``. The likeness is the ratio of
    :class:`difflib.SequenceMatcher`, as ``fuzz.ratio`` of the package ``fuzzywuzzy`` takes it where nothing else is
    installed: LongBench asks for that package alone.
    """
    lines = prediction.lstrip("\n").split("\n")
    line = next((line for line in lines if not any(mark in line for mark in ("`", "#", "//"))), "")
    if not line or not reference:
        return 0.0
    blocks = SequenceMatcher(None, line[:MAX_CODE_CHARS], reference[:MAX_CODE_CHARS]).get_matching_blocks()
    return round(200 * sum(block.size for block in blocks) / (len(line) + len(reference))) / 100


_F1_DATA = ("narrativeqa", "qasper", "multifieldqa_en", "hotpotqa", "2wikimqa", "musique", "triviaqa")
METRICS: Mapping[str, str] = {
    **dict.fromkeys(_F1_DATA, "f1"),
    "multifieldqa_zh": "f1_zh",
    **dict.fromkeys(("gov_report", "qmsum", "multi_news", "samsum"), "rouge_l"),
    **dict.fromkeys(("dureader", "vcsum"), "rouge_l_zh"),
    **dict.fromkeys(("trec", "lsht"), "class"),
    **dict.fromkeys(("passage_count", "passage_retrieval_en", "passage_retrieval_zh"), "number"),
    **dict.fromkeys(("lcc", "repobench-p"), "code"),
}
"""The 21 data sets and the metric of each."""


def reply_score(
    dataset: str, reply: str, answers: Sequence[str], classes: Sequence[str] = (), *, cut: Cut = list
) -> float:
    """Return the score of a reply: its best over the answers.

    A reply that is an answer word for word scores 1, also where the metric's own reading does not get there: an answer
    that is an article, a line of code with a comment.

    Args:
        dataset: one of ``METRICS``.
        reply: what the model said; of the four data sets in ``FIRST_LINE_ONLY`` its first line that is not empty.
        answers: the answers, any of which is right.
        classes: of ``trec`` and ``lsht``, the names of all classes.
        cut: what divides Chinese texts.

    Raises:
        KeyError: for a data set that is not in ``METRICS``.
    """
    if not reply.strip():  # silence, which the likeness of two empty lines would reward
        return 0.0
    if any(reply.strip() == answer.strip() for answer in answers):
        return 1.0
    score: dict[str, Callable[[str, str], float]] = {
        "f1": token_f1,
        "f1_zh": partial(token_f1, cut=cut),
        "rouge_l": rouge_l,
        "rouge_l_zh": partial(rouge_l, cut=cut),
        "class": partial(class_score, classes=classes),
        "number": number_share,
        "code": code_similarity,
    }
    said = reply.lstrip("\n").partition("\n")[0] if dataset in FIRST_LINE_ONLY else reply
    return max((score[METRICS[dataset]](said, answer) for answer in answers), default=0.0)


def _english(text: str) -> list[str]:
    return _ARTICLE.sub(" ", text.lower().translate(_NO_MARKS)).split()


def _chinese(text: str, cut: Cut) -> list[str]:
    tokens = ("".join(token.lower().translate(_NO_CHINESE_MARKS).split()) for token in cut(text))
    return [token for token in tokens if token]


def _sentences(text: str) -> list[list[str]]:
    return [words for sentence in text.split(".") if (words := sentence.split())]


def _common_words(one: Sequence[str], other: Sequence[str]) -> set[str]:
    """Return the words of a longest common subsequence; of several, the one that the package ``rouge`` takes."""
    if not set(one) & set(other):
        return set()
    numbers = {word: number for number, word in enumerate({*one, *other})}
    columns = np.array([numbers[word] for word in other])
    table: NDArray[np.int32] = np.zeros((len(one) + 1, len(other) + 1), np.int32)  # lengths of all pairs of beginnings
    for row, word in enumerate(one, 1):
        longer = table[row - 1, :-1] + (columns == numbers[word])
        table[row, 1:] = np.maximum.accumulate(np.maximum(table[row - 1, 1:], longer))
    words, i, j = set(), len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            words.add(one[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1, j] > table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return words
