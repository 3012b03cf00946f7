"""Tests of `geocli.system`."""
