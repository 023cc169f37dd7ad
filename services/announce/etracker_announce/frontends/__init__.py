"""The tracker's protocols: each front end turns bytes into values, calls the tracker, and writes its answer."""
