"""Settings out of flags, environment and file; how their values are parsed."""
