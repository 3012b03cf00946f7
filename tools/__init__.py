"""Programs for those who work on geocli. Not installed."""
