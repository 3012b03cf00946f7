"""Builds MMDB files out of range CSVs."""
