"""The trackers under test. Each starts its processes, says where it listens, and ends them all."""
