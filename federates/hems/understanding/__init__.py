"""A householder's words become slot values, by rules alone: no dialogue, no language model."""
