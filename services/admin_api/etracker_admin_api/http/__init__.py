"""The parts of HTTP that all routes share, independent of any resource."""
