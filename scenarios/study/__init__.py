"""Studies of trained policies: methods on test days, reuse of gradients, scale."""
