"""Periodic jobs, each of which runs in one of the workers."""
