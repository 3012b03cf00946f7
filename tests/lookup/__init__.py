"""Tests of `geocli.lookup`."""
