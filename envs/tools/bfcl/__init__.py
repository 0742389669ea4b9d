"""The Berkeley Function-Calling Leaderboard v4: single calls by their arguments, dialogues by the state they leave."""
