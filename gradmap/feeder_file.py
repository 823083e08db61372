"""Feeders on disk: one .npz without pickle, a format version, a hash over all that is in it.

The file holds one array per field of nodes, connections and, end to end, of all branches, sources
and regulators, and one JSON text with everything else. The hash covers names, types, shapes and
bytes of all arrays and the text, so a feeder has the same hash wherever it was saved.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gradmap.errors import FeederError
from gradmap.feeder import (
    Branch,
    Connections,
    Feeder,
    Nodes,
    Regulator,
    RegulatorControl,
    Source,
)
from gradmap.files import written_whole

FORMAT = "gradmap-feeder"
VERSION = 1
FINGERPRINT_DIGITS = 9
SUM_DIGITS = 3
"""Of sums in a fingerprint. A sum's noise is a billionth of it: it hardly ever crosses a digit."""

Arrays = dict[str, NDArray[Any]]

_TEXT, _HASH = "text", "sha256"
_SPARSE = ("data", "indices", "indptr")
_MANY: Mapping[str, type[Any]] = {"branches": Branch, "sources": Source, "regulators": Regulator}
_SHAPE = ":shape"
_DIFFERENCES = ("branches.y_shunt_s",)
"""Computed as what a small number leaves of two large ones, so that much of it is their noise."""


def save_feeder(feeder: Feeder, path: Path) -> str:
    """Write a feeder to an .npz file and return its hash; a file that is there is replaced."""
    arrays, text = _pack(feeder)
    digest = _digest(arrays, text=text)
    payload = {**arrays, _TEXT: _as_bytes(text), _HASH: _as_bytes(digest)}
    with written_whole(Path(path)) as file:
        np.savez_compressed(file, allow_pickle=False, **payload)
    return digest


def load_feeder(path: Path) -> Feeder:
    """Read a feeder that `save_feeder` wrote.

    Raises:
        FeederError: The file is missing, foreign, of another version, or not as it was written.
    """
    path = Path(path)
    stored = _read_arrays(path)
    if _TEXT not in stored or _HASH not in stored:
        raise _foreign(path)
    text, digest = _from_bytes(stored.pop(_TEXT)), _from_bytes(stored.pop(_HASH))
    try:
        content = json.loads(text)
    except ValueError as exc:
        raise _foreign(path) from exc
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _foreign(path)
    if content.get("version") != VERSION:
        raise FeederError(
            f"Feeder file {path}: its format version is {content.get('version')!r}, expected "
            f"{VERSION}. Extract the feeder again with this version of gradmap."
        )
    found = _digest(stored, text=text)
    if found != digest:
        raise FeederError(
            f"Feeder file {path}: its content has hash {found[:12]}, expected {digest[:12]} as "
            f"written in it. The file was changed or damaged; extract the feeder again."
        )
    return _unpack(stored, content=content)


def feeder_hash(feeder: Feeder) -> str:
    """Return the SHA-256 of everything that a feeder holds, as 64 hexadecimal digits."""
    arrays, text = _pack(feeder)
    return _digest(arrays, text=text)


def feeder_fingerprint(feeder: Feeder) -> str:
    """Return a hash that is the same on every machine, where `feeder_hash` may differ.

    Numbers that an engine and linear algebra compute differ in their last bits from processor to
    processor; here they count to `FINGERPRINT_DIGITS` of the largest of their kind, and charging of
    branches, where the noise is larger, by its sum.
    """
    arrays, text = _pack(feeder)
    sums = {name: float(np.abs(arrays.pop(name, np.zeros(0))).sum()) for name in _DIFFERENCES}
    words = [f"{name} {value:.{SUM_DIGITS - 1}e}" for name, value in sums.items()]
    rounded = {name: _rounded(array) for name, array in arrays.items()}
    return _digest(rounded, text="\n".join([text, *words]))


def _rounded(array: NDArray[Any]) -> NDArray[Any]:
    """Return floating numbers as whole multiples of a small part of the largest."""
    if array.dtype.kind not in "fc" or not array.size:
        return array
    parts = array.view(array.real.dtype) if array.dtype.kind == "c" else array
    finite = np.abs(parts[np.isfinite(parts)])
    unit = (finite.max(initial=0.0) or 1.0) * 10.0**-FINGERPRINT_DIGITS
    # Infinities (no rating) and NaN keep a value of their own.
    whole = np.rint(np.nan_to_num(parts / unit, nan=-1e15, posinf=1e15, neginf=-2e15))
    return whole.astype(np.int64)


# ------------------------------------------------------------------ to and from plain data


def _pack(feeder: Feeder) -> tuple[Arrays, str]:
    """Return a feeder as arrays and one text."""
    arrays: Arrays = {}
    y_rest = sparse.csc_matrix(feeder.y_rest, dtype=np.complex128, copy=True)
    y_rest.sum_duplicates()
    for part in _SPARSE:
        values = np.asarray(getattr(y_rest, part))
        arrays[f"y_rest.{part}"] = values if part == "data" else values.astype(np.int64)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "name": feeder.name,
        "accepted": list(feeder.accepted),
        "nodes": _pack_record(feeder.nodes, name="nodes", arrays=arrays),
        "connections": _pack_record(feeder.connections, name="connections", arrays=arrays),
        "places": _pack_record(feeder.places, name="places", arrays=arrays),
    }
    for kind in _MANY:
        content[kind] = _pack_records(getattr(feeder, kind), name=kind, arrays=arrays)
    return arrays, json.dumps(content, sort_keys=True, allow_nan=False)


def _pack_records(records: Sequence[Any], *, name: str, arrays: Arrays) -> list[dict[str, Any]]:
    """Return the plain fields of each dataclass; put the arrays of all, end to end, in `arrays`."""
    own: list[Arrays] = [{} for _ in records]
    plain = [_pack_record(r, name=name, arrays=a) for r, a in zip(records, own, strict=True)]
    for key in own[0] if own else ():
        arrays[key] = np.concatenate([a[key].ravel() for a in own])
        arrays[key + _SHAPE] = np.array([a[key].shape for a in own], dtype=np.int64)
    return plain


def _pack_record(record: Any, *, name: str, arrays: Arrays) -> dict[str, Any]:
    """Return the fields of a dataclass that are not arrays; put its arrays into `arrays`."""
    plain: dict[str, Any] = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray):
            arrays[f"{name}.{field.name}"] = value
        else:
            plain[field.name] = asdict(value) if isinstance(value, RegulatorControl) else value
    return plain


def _unpack(arrays: Arrays, *, content: Mapping[str, Any]) -> Feeder:
    """Return the feeder that `_pack` took apart."""
    n = len(content["nodes"]["node_ids"])
    y_rest = sparse.csc_matrix(tuple(arrays[f"y_rest.{part}"] for part in _SPARSE), shape=(n, n))
    many: dict[str, Any] = {
        kind: tuple(
            cls(**_record(plain, name=kind, arrays=own))
            for plain, own in zip(
                content[kind], _split(arrays, name=kind, n=len(content[kind])), strict=True
            )
        )
        for kind, cls in _MANY.items()
    }
    return Feeder(
        name=content["name"],
        accepted=tuple(content["accepted"]),
        nodes=Nodes(**_record(content["nodes"], name="nodes", arrays=arrays)),
        connections=Connections(
            **_record(content["connections"], name="connections", arrays=arrays)
        ),
        places=Connections(**_record(content["places"], name="places", arrays=arrays)),
        y_rest=y_rest,
        **many,
    )


def _split(arrays: Arrays, *, name: str, n: int) -> list[Arrays]:
    """Return the arrays of each of `n` records that `_pack_records` put end to end."""
    own: list[Arrays] = [{} for _ in range(n)]
    for key, flat in arrays.items():
        if not key.startswith(f"{name}.") or key.endswith(_SHAPE):
            continue
        shapes = arrays[key + _SHAPE]
        ends = np.cumsum(shapes.prod(axis=1))
        pieces = np.split(flat, ends[:-1])
        for record, piece, shape in zip(own, pieces, shapes.tolist(), strict=True):
            record[key] = piece.reshape(shape).copy()
    return own


def _record(plain: Mapping[str, Any], *, name: str, arrays: Arrays) -> dict[str, Any]:
    """Return the arguments of a dataclass."""
    found: dict[str, Any] = {key: _tuples(value) for key, value in plain.items()}
    for key, array in arrays.items():
        if key.startswith(f"{name}."):
            found[key.removeprefix(f"{name}.")] = array
    if "control" in plain:
        control = {key: _tuples(value) for key, value in plain["control"].items()}
        found["control"] = RegulatorControl(**control)
    return found


def _tuples(value: Any) -> Any:
    """Return JSON lists as the tuples they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


# ------------------------------------------------------------------ files and bytes


def _digest(arrays: Arrays, *, text: str) -> str:
    """Return the SHA-256 of named arrays and a text."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"\n{name} {little.dtype.str} {little.shape}\n".encode())
        digest.update(np.ascontiguousarray(little).tobytes())
    return digest.hexdigest()


def _read_arrays(path: Path) -> Arrays:
    """Return all arrays of an .npz file."""
    if not path.is_file():
        raise FeederError(f"Feeder file {path}: no such file. Save one with `save_feeder`.")
    try:
        # Opened here: numpy leaves a file open that turns out to be none of its own.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error) as exc:
        raise _foreign(path) from exc


def _foreign(path: Path) -> FeederError:
    return FeederError(
        f"Feeder file {path}: not a feeder saved by gradmap, or damaged. Give an .npz file that "
        f"`save_feeder` wrote."
    )


def _as_bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _from_bytes(values: NDArray[Any]) -> str:
    return bytes(values.astype(np.uint8)).decode(errors="replace")
