"""The state of geocli, for people and for Prometheus."""
