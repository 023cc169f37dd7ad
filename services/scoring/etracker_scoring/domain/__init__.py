"""What scoring decides, without I/O: settlement of facts, standings, policies."""
