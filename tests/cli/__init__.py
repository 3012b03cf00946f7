"""Tests of `geocli.cli`."""
