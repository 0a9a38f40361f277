"""The augmented zone and the command line."""
