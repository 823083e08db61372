"""Home energy management: the interview that finds a home's parameters, and its optimiser."""
