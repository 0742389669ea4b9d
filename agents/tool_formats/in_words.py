"""Tools, and how to call them, in words: for a model whose chat template does not show them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from acgym.agents.tool_formats.families import HERMES, ToolFormat
from acgym.types import Call, ToolSpec

_TOOLS_IN_WORDS = """\
You can call these tools:
{tools}
To call one, reply with
{example}"""

_HERMES_EXAMPLE = """\
<tool_call>
{"name": TOOL, "arguments": {...}}
</tool_call>"""


def tools_in_words(tools: Sequence[ToolSpec], syntax: ToolFormat = HERMES) -> str:
    """Describe tools, and how to call them, for a model whose template does not."""
    listed = "\n".join(json.dumps(tool.get("function", tool), ensure_ascii=False) for tool in tools)
    example = _HERMES_EXAMPLE if syntax is HERMES else syntax.write([Call("TOOL", {"ARGUMENT": "VALUE"})])
    return _TOOLS_IN_WORDS.format(tools=listed, example=example)
