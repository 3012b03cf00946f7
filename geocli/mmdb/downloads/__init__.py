"""Databases from publishers: fetched, checked, installed."""
