"""Labelled announces of simulated swarms, and how well the detector judges them."""
