"""Announce keys: generating, managing and pruning them, and the standing of a key."""
