"""How long day-ahead schedules of many homes take, and how they compare with rules."""
