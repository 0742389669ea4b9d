"""ACB/Lab-v0: a text laboratory with real science."""
