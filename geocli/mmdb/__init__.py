"""MMDB files: ``file`` opens them, ``layouts`` reads what vendors put in, ``ranges`` and ``build`` make them.

Databases are files that somebody downloaded: whatever is in them, reading ends in an answer, in
nothing, or in a ``DamagedFileError`` that names the file.
"""
