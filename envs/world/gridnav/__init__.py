"""ACB/GridNav-v0: missions in a grid of rooms, told in words."""
