"""Formats: rows to text. `base` has the contract, every other module is one format."""
