"""Runs the command line as ``python -m acgym.cli``."""

from acgym.cli.app import main

main()
