"""What users see: rows in a format, the report, the state of geocli."""
