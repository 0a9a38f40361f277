"""The landing zone: reads subreddits hour by hour and lands what was said, with proof of what was seen."""

__version__ = "0.1.0"
