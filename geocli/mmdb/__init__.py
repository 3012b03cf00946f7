"""MMDB files: ``file`` opens them, ``layouts`` understands what vendors put in, ``build`` writes them.

Databases are files that somebody downloaded: whatever is in them, reading ends in an answer, in
nothing, or in a ``DamagedFileError`` that names the file.
"""
