"""Floor 3: the HELICS federation, one file per federate, and its supervisor."""
