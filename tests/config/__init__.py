"""Tests of `geocli.config`."""
