"""The benchmark: the cost of an announce next to other trackers and older code, and how it grows with the tracker.

``python -m bench`` starts every tracker on loopback, gives each the same announces in turn,
checks every answer, waits until all work that the announces caused is done (facts settled in Postgres),
and divides the CPU time of all of a tracker's processes by the number of announces. The load generator runs
in this process; its time isn't counted.
"""
