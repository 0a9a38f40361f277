"""From figures to what a person reads: one HTML page that needs nothing else, and the same as JSON and CSV."""
