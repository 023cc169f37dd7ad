"""The protocols the tracker is asked in: each turns bytes into values, calls the tracker, and writes its answer."""
