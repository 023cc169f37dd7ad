"""The benchmark: what an announce costs, compared with two other trackers, and how the cost grows.

``python -m bench`` starts every tracker on loopback, gives each the same announces in turn,
checks every answer, waits until everything an announce caused is done (facts settled in Postgres),
and divides the CPU time of all of a tracker's processes by the announces. The load generator runs
in this process; its time isn't counted.
"""
