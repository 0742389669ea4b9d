"""The words of a recipe and what each of them sets: frozen dataclasses, one for each method."""
