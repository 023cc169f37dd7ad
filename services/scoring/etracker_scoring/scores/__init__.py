"""Scores and what follows from them. Pure: time, parameters and histories are arguments."""
