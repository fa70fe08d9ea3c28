"""How good a model is: scores against a known truth, physical bounds, classical methods."""
