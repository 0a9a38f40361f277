"""The rules of the landing zone, as pure code: no clock, no I/O, standard library only."""
