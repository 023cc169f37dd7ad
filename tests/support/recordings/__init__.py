"""Announces of real programs: how they are recorded, kept as test data, and stretched to weeks."""
