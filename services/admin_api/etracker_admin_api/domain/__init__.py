"""Torrent files, infohashes and names: bytes in, checked values out. No framework, no I/O."""
