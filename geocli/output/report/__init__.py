"""The report: a page with a world map, or the map in a terminal."""
