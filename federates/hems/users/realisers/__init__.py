"""Surface forms of values: each realiser says a stored value in one way people say it."""
