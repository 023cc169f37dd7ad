"""The protocol and peer selection: pure, no I/O, no framework, no clock of its own."""
