"""The eight services of the dialogues, simulated in this process: a state, and functions that read and change it."""
