"""Tests of `geocli.output.status`."""
