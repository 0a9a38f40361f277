"""Targeted sentiment: what the author of a text thinks of a target in it. `scoring.make_scorer` gives an engine."""
