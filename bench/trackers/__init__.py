"""The trackers under test. Each starts the tracker's processes, reports its address, and ends them."""
