"""The scoring service: what a peer's history means (API), and how facts become history (worker)."""
