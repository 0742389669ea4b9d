"""ACB/Lab-v0: the physics against second ways to work it out, and what actions do."""
