"""The whole tracker on one machine, as ``make run`` starts it."""
