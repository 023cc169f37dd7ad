"""Anomalies: what the detector says about keys and guests, what operators decide, and what holders reply."""
