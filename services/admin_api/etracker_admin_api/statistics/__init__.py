"""Statistics of the tracker and of torrents, now and over time."""
