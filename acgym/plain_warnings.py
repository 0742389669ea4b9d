"""How warnings look on the command line: a sentence, without the place in the code that it came from."""

from __future__ import annotations

import sys
import warnings
from typing import TextIO

from acgym.text import printable


def warn_plainly() -> None:
    """Let this process write each warning that it has not written yet as one line on standard error."""
    said: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = "warning: " + printable(" ".join(str(message).split()))
        if text not in said:
            said.add(text)
            print(text, file=sys.stderr if file is None else file, flush=True)

    warnings.showwarning = show
