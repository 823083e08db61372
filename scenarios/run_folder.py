"""The run folder: whose it is, who is using it, and how it comes into being whole or not at all.

A folder is ours if it holds the marker file, which nothing else writes. The marker names what a
run puts there, so that replacing a run removes that and nothing else; it also carries the lock
that keeps two runs out of one folder.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from gradmap.errors import ScenarioError
from scenarios.schema import Scenario

MARKER: Final = ".gradmap-run"
SCENARIO_FILE: Final = "scenario.yaml"
INPUTS_FOLDER: Final = "inputs"
STAGING_FOLDER: Final = "prepare.partial"
_ALWAYS_OURS: Final = (
    SCENARIO_FILE,
    INPUTS_FOLDER,
    STAGING_FOLDER,
    "summary.csv",
    "summary.json",
    "report.html",
)


def default_folder(scenario: Scenario) -> Path:
    """Make and return `runs/<name>-<local time>`; a counter keeps runs of one second apart."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")  # a label for people
    attempt = 1
    while True:
        suffix = "" if attempt == 1 else f"-{attempt}"
        folder = Path("runs") / f"{scenario.name}-{stamp}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            attempt += 1
        except OSError as exc:
            raise ScenarioError(
                f"Run folder {folder} cannot be made ({exc.strerror}). Choose one with --out."
            ) from exc
        else:
            return folder


def refuse_unless_free(folder: Path, *, scenario: Scenario, overwrite: bool) -> None:
    """Refuse a folder in use; `overwrite` frees one that holds a run of ours, and no other."""
    if folder.exists() and not folder.is_dir():
        raise ScenarioError(f"Run folder {folder} is a file. Choose a folder with --out.")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not overwrite:
        raise ScenarioError(
            f"Run folder {folder} is not empty. Choose another with --out, or pass "
            f"--overwrite to replace the run in it."
        )
    if not (folder / MARKER).is_file():
        raise ScenarioError(
            f"Run folder {folder} holds no run of this tool, so it is not overwritten. "
            f"Choose another folder with --out."
        )
    for name, path in _named_files(scenario):
        if path.resolve().is_relative_to(folder.resolve()):
            raise ScenarioError(
                f"`{name}` names {path}, which lies in the run folder that would be replaced. "
                f"Copy it elsewhere, or choose another folder with --out."
            )


def _named_files(section: BaseModel) -> Iterator[tuple[str, Path]]:
    """Yield every file or folder that a scenario reads, with its key."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _named_files(value)
        elif isinstance(value, Path):
            yield name, value


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Hold a run folder; ScenarioError if another process holds it."""
    with (folder / MARKER).open("a") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise ScenarioError(
                f"Run folder {folder} is in use by another run. Choose another with --out, or "
                f"wait for it to end."
            ) from exc
        yield


@contextmanager
def claimed(out: Path | None, *, scenario: Scenario) -> Iterator[Path]:
    """Give the run folder asked for, or a new default one, which is dropped if it stays empty."""
    folder = out or default_folder(scenario)
    try:
        yield folder.resolve()
    finally:
        if out is None:
            with suppress(OSError):  # it holds a run
                folder.rmdir()


@contextmanager
def staging(folder: Path, *, contents: Sequence[str]) -> Iterator[Path]:
    """Give a place to prepare a run in; on success replace what an earlier run left.

    Whatever goes wrong, the folder is as it was before.

    Args:
        folder: The run folder.
        contents: Folders that the run will add, beside those that every run has.
    """
    existed = folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marked = (folder / MARKER).exists()
        with in_use(folder):
            try:
                yield from _stage(folder, contents=contents)
            except BaseException:
                for ours in (STAGING_FOLDER, *(() if marked else (MARKER,))):
                    _remove(folder / ours)
                if not existed:
                    folder.rmdir()
                raise
    except OSError as exc:
        raise ScenarioError(
            f"Run folder {folder} cannot be written ({exc.strerror or exc}). Choose another with "
            f"--out."
        ) from exc


def _stage(folder: Path, *, contents: Sequence[str]) -> Iterator[Path]:
    place = folder / STAGING_FOLDER
    _remove(place)
    (place / INPUTS_FOLDER).mkdir(parents=True)
    yield place
    for earlier in (*_ALWAYS_OURS, *_noted_contents(folder)):
        if earlier != STAGING_FOLDER:
            _remove(folder / earlier)
    (place / INPUTS_FOLDER).rename(folder / INPUTS_FOLDER)
    (folder / MARKER).write_text(json.dumps({"contents": list(contents)}) + "\n")
    _remove(place)


def _noted_contents(folder: Path) -> list[str]:
    """Return the folders that an earlier run noted in the marker, names only."""
    try:
        noted = json.loads((folder / MARKER).read_text())["contents"]
    except (json.JSONDecodeError, KeyError, TypeError):  # a run that was never prepared
        return []
    # Names of folders in here and nothing else: neither the folder itself nor its parent.
    return [
        name
        for name in noted
        if isinstance(name, str) and name not in ("", ".", "..") and name == Path(name).name
    ]


def _remove(path: Path) -> None:
    """Delete a file, a link or a whole folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
