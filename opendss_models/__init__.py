"""Floor 2: everything that touches OpenDSS."""
