"""What the processes of a run inherit from the shell that started it."""

from __future__ import annotations

import os
from typing import Final

KEY_VARIABLE: Final = "HELICS_BROKER_KEY"
# A federate gets what Python and HELICS need; credentials of the calling shell stay behind.
_SECRET_WORDS: Final = ("KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "AUTH")
_NO_SECRETS: Final = ("PWD", "OLDPWD")
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def child_environment(broker_key: str) -> dict[str, str]:
    """Return the environment of a child: no credentials, one thread, the broker's key."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _NO_SECRETS or not any(word in name.upper() for word in _SECRET_WORDS)
    }
    return {
        **kept,
        **dict.fromkeys(_THREADS, "1"),
        KEY_VARIABLE: broker_key,
        "PYTHONUNBUFFERED": "1",
    }
