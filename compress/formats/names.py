"""The names of the checkpoint formats that are written."""

FORMATS = ("gptq", "awq", "compressed-tensors", "dense")
"""What ``acgym compress --format`` takes."""
