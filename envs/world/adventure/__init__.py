"""Interactive fiction: settings, puzzles, a parser, and games made of them."""
