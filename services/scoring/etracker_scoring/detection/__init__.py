"""The detector of broken and cheating clients: pure functions over plain values, on a tracker and in replay."""
