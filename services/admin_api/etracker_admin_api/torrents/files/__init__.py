"""Torrent files: uploads by operators, and downloads with the announce URL of a key."""
