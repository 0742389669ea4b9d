"""What an agent is asked in each of LongBench's 21 data sets, in words of our own that ask what the originals ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ASKED", "Asked"]


class Asked(NamedTuple):
    """How a data set asks."""

    prompt: str
    """Text with the fields ``{context}`` and, where rows have one, ``{input}``; for ``str.format``."""
    max_new_tokens: int
    """New tokens that the published runs allow; a model that thinks aloud needs more."""


_BRIEF = "Reply with the answer alone, as short as it can be said, without an explanation."
_BRIEF_ZH = "只写出答案，尽量简短，不要解释。"
_QA = "{what}\n\n{{context}}\n\n{brief}\n\nQuestion: {{input}}\nAnswer:"
_QA_ZH = "{what}\n\n{{context}}\n\n{brief}\n\n问题：{{input}}\n回答："
_SUMMARY = "{what}\n\n{{context}}\n\n{then}"


def _qa(what: str, brief: str = _BRIEF) -> str:
    return _QA.format(what=what, brief=brief)


_SEVERAL = "Below are several passages. Answer the question that follows them from what they say."
ASKED: Mapping[str, Asked] = {
    "narrativeqa": Asked(_qa("Below is a story, a book or a film script. Answer the question about it."), 128),
    "qasper": Asked(
        _qa(
            "Below is a scientific paper. Answer the question about it.",
            f"{_BRIEF} If the paper does not answer it, reply 'unanswerable'; a question of yes or no is answered "
            "'yes' or 'no'.",
        ),
        128,
    ),
    "multifieldqa_en": Asked(_qa("Read the text below, then answer the question about it."), 64),
    "multifieldqa_zh": Asked(_QA_ZH.format(what="请先阅读下面的文章，再回答有关的问题。", brief=_BRIEF_ZH), 64),
    "hotpotqa": Asked(_qa(_SEVERAL), 32),
    "2wikimqa": Asked(_qa(_SEVERAL), 32),
    "musique": Asked(_qa(_SEVERAL), 32),
    "dureader": Asked(
        _QA_ZH.format(what="下面是若干篇文章，请根据它们回答后面的问题。", brief="请直接写出回答。"),
        128,
    ),
    "gov_report": Asked(
        _SUMMARY.format(
            what="Below is a report of a government body.", then="Summarise the report on one page.\n\nSummary:"
        ),
        512,
    ),
    "qmsum": Asked(
        _SUMMARY.format(
            what="Below is the transcript of a meeting.",
            then="Answer the request about this meeting in one sentence or a few.\n\nRequest: {input}\nAnswer:",
        ),
        512,
    ),
    "multi_news": Asked(
        _SUMMARY.format(what="Below are news articles.", then="Summarise all of them on one page.\n\nSummary:"), 512
    ),
    "vcsum": Asked(_SUMMARY.format(what="下面是一份会议记录。", then="请写出这次会议的总结。\n\n总结："), 512),
    "trec": Asked(
        "Say of which type the last question is. The examples show how types are written.\n\n{context}\n{input}",
        64,
    ),
    "triviaqa": Asked(
        "Answer the last question from its passage. The examples show how.\n\n{context}\n\n{input}",
        32,
    ),
    "samsum": Asked(
        "Summarise the last dialogue in a few short sentences. The examples show how.\n\n{context}\n\n{input}", 128
    ),
    "lsht": Asked("请判断最后一条新闻属于哪一类。前面的例子说明了写法。\n\n{context}\n{input}", 64),
    "passage_count": Asked(
        "Below are numbered paragraphs; some are copies of others. How many different paragraphs are there?\n\n"
        "{context}\n\nReply with that number alone.\n\nNumber of different paragraphs:",
        32,
    ),
    "passage_retrieval_en": Asked(
        "Below are numbered paragraphs of an encyclopedia, then the abstract of one of them.\n\n{context}\n\n"
        "Abstract: {input}\n\nWhich paragraph does it summarise? Reply in the form 'Paragraph 1'.\n\nAnswer:",
        32,
    ),
    "passage_retrieval_zh": Asked(
        "下面是若干个编了号的段落，最后是其中一段的摘要。\n\n{context}\n\n摘要：{input}\n\n"
        "这份摘要概括的是哪一段？请按“段落1”的格式回答。\n\n回答：",
        32,
    ),
    "lcc": Asked("Write the line of code that comes next.\n\n{context}\nNext line of code:\n", 64),
    "repobench-p": Asked("Write the line of code that comes next.\n\n{context}{input}\nNext line of code:\n", 64),
}
"""Data set -> how it asks."""
