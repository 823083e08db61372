"""Files that are there complete or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write to, which takes its name only when the block has ended well.

    Until then what was there before stays; after an exception it is all there is. Several may
    write the same file at once, the last one counts. A process that is killed leaves a file
    `<name>.<random>.partial`.

    Args:
        path: The file, in a folder that exists.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
