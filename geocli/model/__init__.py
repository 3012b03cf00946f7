"""Values that everything else speaks in: addresses, records, bans, errors. No input, no output."""
