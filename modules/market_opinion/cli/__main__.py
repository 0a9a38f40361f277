"""`python -m market_opinion.cli`: the command line without its installed name."""

from . import main

main(prog_name="market-opinion")
