"""Formats that one service writes and another reads: Postgres tables, Redis keys, facts, wire models, notifications."""
