"""The one date that every prompt tells, whatever the clock says."""

from __future__ import annotations

import json
from datetime import datetime

TEMPLATE_DATE = datetime(2026, 1, 1)
"""Some chat templates write today's date into each prompt. Then the two halves of a comparison, a run that is resumed,
and one that is repeated next week would be asked something else; so all are asked on this day."""

_ASKS = "strftime_now"
_PARTS = {f"%{letter}": TEMPLATE_DATE.strftime(f"%{letter}") for letter in "aAbBdHIjmMpSyY"}


def asks_the_date(template: str) -> bool:
    """Whether a chat template writes the date."""
    return _ASKS in template


def on_one_day(template: str) -> str:
    """Return a chat template whose ``strftime_now`` knows TEMPLATE_DATE alone; any other template comes back as it is.

    The function is given as a macro of the template's own, because templates are handed no functions by their callers.
    """
    if not asks_the_date(template):
        return template
    replaced = "".join(f".replace({json.dumps(part)}, {json.dumps(value)})" for part, value in _PARTS.items())
    # The line end is taken away again by the engine, which also wants the template to begin at the start of a line.
    return f"{{% macro {_ASKS}(format) %}}{{{{ format{replaced} }}}}{{% endmacro %}}\n{template}"
