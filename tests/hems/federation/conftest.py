"""Prepared run folders, as for the other federates."""

from tests.federates.conftest import prepared

__all__ = ["prepared"]
