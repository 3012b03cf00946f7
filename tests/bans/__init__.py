"""Tests of `geocli.bans`."""
