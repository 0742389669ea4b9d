"""Warnings on the command line: one line, said once, without the code that it came from."""

import subprocess
import sys

SAYS = """
import warnings
from acgym.plain_warnings import warn_plainly

warn_plainly()
warnings.warn("the template is odd\\x1b[31m", stacklevel=1)
warnings.warn("the template is odd\\x1b[31m", stacklevel=1)
warnings.warn("another\\none", stacklevel=1)
"""


def test_a_warning_is_one_line_and_said_once():
    done = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["warning: the template is odd\\x1b[31m", "warning: another one"]
    assert done.stdout == ""
