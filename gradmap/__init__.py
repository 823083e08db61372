"""Floor 1: torch models of devices, policies and power flow; imports no floor above."""
