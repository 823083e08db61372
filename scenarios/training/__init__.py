"""Training on a scenario: days, cross-checks against OpenDSS, the training folder."""
