"""Tests of `geocli.output`."""
