"""Dump files of the public archives (Pushshift, Arctic Shift): read fast, checked to the end, landed as days."""
