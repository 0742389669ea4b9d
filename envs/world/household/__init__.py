"""ACB/Household-v0: finds, treats and places things in a text household."""
