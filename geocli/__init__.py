"""geocli: who is attacking me, and from where.

The package reads as its directory listing: inputs find addresses, providers answer for them,
the journal keeps every answer until a flush writes it to the store, formats print it.
docs/architecture.md has the picture.
"""

__version__ = "1.0.0"
