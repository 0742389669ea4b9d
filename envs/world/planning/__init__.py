"""ACB/PDDL-v0: classical planning problems, read from PDDL files and played in words."""
