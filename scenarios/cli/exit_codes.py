"""What the exit code of every command means."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
UNHEALTHY: Final = 3
INTERRUPTED: Final = 130
