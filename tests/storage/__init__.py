"""Tests of `geocli.storage`."""
