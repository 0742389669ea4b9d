"""Episodes and signals in, a comparison out: never a model, an environment, torch or gymnasium."""
