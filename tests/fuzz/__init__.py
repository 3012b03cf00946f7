"""Parsers of what others write, fed with what nobody would write; README.md says how to run it."""
