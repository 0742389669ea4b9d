"""The table of methods, and one algorithm a file."""
