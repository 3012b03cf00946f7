"""Tests of `geocli.model`."""
