"""Torrent files as values: parsed, rewritten and named. Pure: no I/O, no framework, no randomness."""
