"""Simulators of others behind acgym's contract: Minigrid's BabyAI, ScienceWorld, TextWorld, ALFWorld, Jericho."""
