"""Operators, their API keys, and the audit log of what they did."""
