"""The way of an address: cache, providers, journal, output, one at a time or in batches."""
