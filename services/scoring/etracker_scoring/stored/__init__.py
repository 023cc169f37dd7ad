"""Reads for both programs from Postgres: keys, and statistics over all keys."""
