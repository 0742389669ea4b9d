"""Builds the reference agent's tokenizer: a word is the same tokens wherever it stands, so that copying is copying.

A small model copies by looking an earlier token up. That works only if a word is the same tokens after a space, after
a quote and at the start of a line. So the vocabulary is not learned by frequency of pairs: it holds every closed word
of the demonstrations with and without a leading space, the halves that names are made of, single digits, the
punctuation that stands between words, and the constant lines of the environments as one token each. Any other text
falls back to bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
ROLE_HEADERS = ("system\n", "user\n", "assistant\n", "tool\n")

# The syntax of a tool call (Hermes style), cut where names and values begin and end.
_CALL_PIECES = (
    '<tool_call>\n{"name": "',
    '", "arguments": {"',
    '", "arguments": {}}\n</tool_call>',
    '"}}\n</tool_call>',
    "}}\n</tool_call>",
    '": "',
    '": ',
    '", "',
    ', "',
)

# Stands between a name and its value: as one token it leaves the value two steps behind the end of its name.
_IS = '" is "'

CHAT_TEMPLATE = """\
{%- if tools %}{{ '<|im_start|>system\\n' }}
{%- for tool in tools %}{% set f = tool.function if tool.function is defined else tool %}
{{- f.name + '(' }}
{%- for name, schema in f.parameters.properties.items() %}
{{- '"' + name + '"' }}{% if name not in (f.parameters.required or []) %}{{ '?' }}{% endif %}{{ ': ' }}
{%- if schema.keys() | list == ['type'] %}{{ schema.type }}
{%- elif schema.enum is defined %}{{ schema.enum | join(' | ') }}
{%- else %}{{ schema | tojson }}{% endif %}{% if not loop.last %}{{ ', ' }}{% endif %}
{%- endfor %}{{ ') ' + f.description + '\\n' }}
{%- endfor %}{{ '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}
{%- if message.content %}{{ message.content }}{% endif %}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}
{{- '}\\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
"""ChatML with the tools as one line each: ``name("parameter": type, ...) description``."""


def build_tokenizer(
    texts: Iterable[str], name_parts: Sequence[str], constant_lines: Sequence[str], rare: int = 3
) -> PreTrainedTokenizerFast:
    """Build the tokenizer from demonstration texts.

    Args:
        texts: rendered conversations of the training split.
        name_parts: halves of generated names; a word made of two of them is a name and gets no token of its own.
        constant_lines: lines that stand in (nearly) every conversation of an environment; one token each.
        rare: words and punctuation seen less often than this get no token.

    Returns:
        A tokenizer whose segmentation is the one with the fewest tokens, longer tokens first among equals. Its
        ``decode(encode(text))`` is ``text`` for any text, except that the name of a byte token spelled out, such as
        ``<0x41>``, is that token and comes back as the byte. A name is two tokens after a quote, a bracket or a line
        break, unless it begins with a longer closed word (greeno, melona); after a space it may begin with one too,
        space included (" in" + "ado").
    """
    words, glue = _count(texts, set(name_parts))
    pieces: dict[str, None] = dict.fromkeys([chr(c) for c in range(32, 127)] + ["\n"])
    pieces.update(dict.fromkeys((*ROLE_HEADERS, *_CALL_PIECES, _IS)))
    pieces.update(dict.fromkeys(name_parts))
    for word in sorted(word for word, count in words.items() if count >= rare):
        pieces.update(dict.fromkeys([word, " " + word]))
    pieces.update(dict.fromkeys(sorted(run for run, count in glue.items() if count >= rare)))
    pieces.update(dict.fromkeys(constant_lines))
    specials = [END_OF_TEXT, TURN_START, TURN_END]
    vocabulary = [(token, 0.0) for token in specials + [f"<0x{byte:02X}>" for byte in range(256)]]
    vocabulary += [(piece, -10.0 + 1e-4 * min(len(piece), 30) ** 2) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(specials)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=END_OF_TEXT,
        clean_up_tokenization_spaces=False,
        model_max_length=4096,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def _count(texts: Iterable[str], name_parts: set[str]) -> tuple[Counter[str], Counter[str]]:
    """Count closed words (``_word`` counts as its own) and the runs of punctuation between words."""
    words: Counter[str] = Counter()
    glue: Counter[str] = Counter()
    for text in texts:
        for part in re.split(r"<\|im_\w+\|>", text):
            for word in re.findall(r"_?[A-Za-z]+", part):
                if not _is_name(word, name_parts):
                    words[word] += 1
            for match in re.finditer(r"[^A-Za-z0-9_]{2,8}", part):
                run, after = match.group(), part[match.end() : match.end() + 1]
                glue[run.rstrip(" ") if after.isalpha() else run] += 1
    return words, glue


def _is_name(word: str, name_parts: set[str]) -> bool:
    return any(word[:i] in name_parts and word[i:] in name_parts for i in range(1, len(word)))
