"""Tests of `geocli.mmdb.downloads`."""
