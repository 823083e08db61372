"""Simulated householders: personas, grammar users with held-out templates, adversarial cases."""
