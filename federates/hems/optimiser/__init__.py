"""Day-ahead and rolling schedules of one home: numbers in, powers and what had to yield out."""
