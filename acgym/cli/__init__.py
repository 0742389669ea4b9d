"""The command line: arguments in, one call, words out."""

from acgym.cli.app import main

__all__ = ["main"]
