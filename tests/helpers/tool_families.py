"""Small tokenizers with chat templates of our own that are built like those of the model families."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

FOLDER = Path(__file__).resolve().parents[1] / "chat_templates"
FAMILIES = tuple(sorted(path.stem for path in FOLDER.glob("*.jinja")))

_LOOKS_SPECIAL = re.compile(
    r"<[|｜][^\s<>]+?[|｜]>|</?s>|<bos>|<escape>|</?(?:start|end)_[a-z_]+>|\[/?[A-Z_]+\]|<[A-Z]+_[A-Z0-9_]+>"
)
_PLAIN = {"<think>", "</think>", "<tool_call>", "</tool_call>", "<|tool_call|>", "<|/tool_call|>"}
_ENDS = ("<|im_end|>", "<|eot_id|>", "</s>", "<|end|>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "<end_of_turn>")
_ENDS += ("<|return|>", "<|END_OF_TURN_TOKEN|>", "<SPECIAL_12>", "<|eos|>", "<|observation|>")


@cache
def tokenizer(family):
    """One token a byte; what looks special in the template is a special token, but for a few that are plain ones."""
    template = (FOLDER / f"{family}.jinja").read_text("utf-8")
    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(bytes_)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    found = dict.fromkeys(_LOOKS_SPECIAL.findall(template))
    backend.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in found if t not in _PLAIN])
    backend.add_tokens([AddedToken(t, special=False, normalized=False) for t in sorted(_PLAIN)])
    made = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=next(end for end in _ENDS if end in template))
    made.chat_template = template
    return made
