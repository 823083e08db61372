"""Read a feeder's files before OpenDSS does: a .dss file is code.

OpenDSS loads a native library named by a property (`UserModel=`), writes files where a command
says (`Export`, `Save`), and reads any path. The scan follows every file that the master file
includes and reports such statements with file and line. `trust=True` lets them pass; a missing
file never passes.

Allowed without trust: files in the master file's folder, and line codes and other data files
(.dss, .txt, .csv) in the folder above it, because the IEEE feeders share one line-code file there.
`Show` and `Plot` are reported but allowed: without an editor or a display they at most write their
report beside the master file, under names of OpenDSS's choosing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gradmap.errors import FeederError
from opendss_models.topology import nearest_name

LIBRARY_PROPERTIES = ("usermodel", "shaftmodel", "dynadll")
"""Properties that make OpenDSS load a native library."""
LIBRARY_CLASSES = ("generator", "pvsystem", "storage", "capcontrol", "capusercontrol", "windgen")
"""Classes that have such a property; values without a name are refused in them."""
REFUSED_COMMANDS = {
    "doscmd": "runs a shell command",
    "save": "writes files",
    "dump": "writes files",
    "export": "writes files",
    "exportoverloads": "writes files",
    "exportvviolations": "writes files",
    "alignfile": "writes files",
    "obfuscate": "rewrites the circuit",
    "fileedit": "starts an editor",
    "formedit": "opens a window",
    "top": "starts a program",
    "cd": "leaves the feeder's folder",
    "clone": "starts further engines",
    "newactor": "starts further engines",
}
HARMLESS_COMMANDS = {"show", "plot", "visualize", "di_plot", "panel"}
"""Commands that are reported and then left alone."""
INCLUDE_COMMANDS = ("redirect", "compile")
DATA_COMMANDS = ("buscoords", "latlongcoords", "giscoords", "uuids")
REFUSED_OPTIONS = ("datapath", "editor")
SHARED_SUFFIXES = {".dss", ".txt", ".csv"}
"""Kinds of file that may also lie in the folder above the master file's."""
MAX_FILES = 2000

_EDIT_COMMANDS = ("new", "edit", "select", "batchedit", "~", "more", "m")
_CONTINUE_COMMANDS = ("~", "more", "m")
_WORDS = (
    *REFUSED_COMMANDS,
    *HARMLESS_COMMANDS,
    *INCLUDE_COMMANDS,
    *DATA_COMMANDS,
    *_EDIT_COMMANDS,
    "set",
)
_QUOTED = r"""\"[^"]*"?|'[^']*'?|\([^)]*\)?|\[[^\]]*\]?|\{[^}]*\}?"""
_TOKEN = re.compile(
    rf"""\s*(?:(?P<name>{_QUOTED}|[^\s=,"'(\[{{]+)\s*=\s*)?(?P<value>{_QUOTED}|[^\s,=]+)[\s,]*"""
)
_DATA_FILE = re.compile(
    r"""(?<!\w)(?:(?:pq)?csvf\w*|csv|sngf\w*|dblf\w*|file)\s*=\s*("[^"]*"|'[^']*'|[^\s,)\]}"']+)""",
    re.IGNORECASE,
)
_LIBRARY = re.compile(
    rf"""\b(?:{"|".join(LIBRARY_PROPERTIES)})\b|\.(?:so|dll|dylib)\b""", re.IGNORECASE
)
_MENTION = re.compile(rf"(?:^|[^\w.])({'|'.join(LIBRARY_CLASSES)})(?:\.|\s*$)", re.IGNORECASE)
_CLOSING = {'"': '"', "'": "'", "(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One statement worth knowing about before the file is run."""

    file: Path
    line: int
    statement: str
    reason: str
    refused: bool
    """Whether it stops the feeder from being used without `trust`."""
    fatal: bool = False
    """Whether it stops the feeder even with `trust` (a missing file)."""

    def __str__(self) -> str:
        """Return `file:line: statement: reason`."""
        return f"{self.file.name}:{self.line}: `{self.statement}`: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """All files a feeder consists of and what was found in them."""

    files: tuple[Path, ...]
    findings: tuple[Finding, ...]


@dataclass(kw_only=True)
class _Scan:
    """State of one scan."""

    root: Path
    files: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class _Report(Protocol):
    """Records a finding about the statement at hand."""

    def __call__(self, reason: str, *, refused: bool = True, fatal: bool = False) -> None:
        """Record `reason`."""


def scan_feeder(feeder: Path, *, trust: bool = False) -> ScanReport:
    """Return what a feeder's files hold, or raise if they must not be run.

    Args:
        feeder: The master file.
        trust: Accept statements that write files, load libraries or reach outside the folder.

    Raises:
        FeederError: A file is missing, or something is refused and `trust` is False.
    """
    if not feeder.is_file():
        raise FeederError(
            f"Feeder {str(feeder)!r} is not a file{_did_you_mean(feeder)}. Give the path of the "
            f"feeder's master .dss file."
        )
    if '"' in str(feeder):
        raise FeederError(
            f"Feeder {str(feeder)!r}: OpenDSS cannot open a path with a quotation mark in it. "
            f"Rename the file or its folder."
        )
    scan = _Scan(root=feeder.resolve().parent)
    _scan_file(feeder.resolve(), scan=scan)
    stops = [f for f in scan.findings if f.fatal or (f.refused and not trust)]
    if stops:
        hint = ""
        if any(not f.fatal for f in stops):
            hint = "\nRemove these lines, or pass trust=True if you know where the files come from."
        listed = "\n  ".join(map(str, stops[:20]))
        raise FeederError(f"Feeder {feeder} was not run:\n  {listed}{hint}")
    return ScanReport(files=tuple(scan.files), findings=tuple(scan.findings))


def _scan_file(path: Path, *, scan: _Scan) -> None:
    """Scan one file and what it includes."""
    if path in scan.files:
        return
    if len(scan.files) >= MAX_FILES:
        raise FeederError(f"Feeder in {scan.root}: it includes more than {MAX_FILES} files.")
    scan.files.append(path)
    active_class = ""
    for number, statement in _statements(path):
        active_class = _scan_statement(
            statement, path=path, number=number, active_class=active_class, scan=scan
        )


def _statements(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line number and text of every statement, comments left out."""
    in_block = False
    # Not `splitlines()`: OpenDSS breaks lines at CR and LF only, and opens a block comment only at
    # the very start of a line. Seeing fewer statements than it does would be a hole.
    for number, raw in enumerate(path.read_text(errors="replace").split("\n"), start=1):
        if in_block or raw.startswith("/*"):
            in_block = "*/" not in raw
            continue
        line = raw.strip()
        line = _without_comment(line)
        if line:
            yield number, line


def _without_comment(line: str) -> str:
    """Cut a line at `!` or `//` outside of quotes and brackets."""
    quote = ""
    for k, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in _CLOSING:
            quote = _CLOSING[char]
        elif char == "!" or (line.startswith("//", k) and (k == 0 or line[k - 1].isspace())):
            return line[:k].strip()
    return line


def _scan_statement(
    statement: str, *, path: Path, number: int, active_class: str, scan: _Scan
) -> str:
    """Record the findings of one statement; return the class that `~` would continue."""

    def report(reason: str, *, refused: bool = True, fatal: bool = False) -> None:
        scan.findings.append(
            Finding(
                file=path,
                line=number,
                statement=statement[:120],
                reason=reason,
                refused=refused,
                fatal=fatal,
            )
        )

    tokens = [
        (m["name"] and _unquote(m["name"]), _unquote(m["value"]))
        for m in _TOKEN.finditer(statement)
    ]
    if not tokens:
        return active_class
    if _LIBRARY.search(statement):
        report("names a native library or a property that loads one")
    name, first = tokens[0]
    commands = set() if name else _commands(first.lower())
    arguments = tokens[1:] if commands else tokens
    for command in sorted(commands & REFUSED_COMMANDS.keys()):
        report(f"`{command}` {REFUSED_COMMANDS[command]}")
    if commands & HARMLESS_COMMANDS:
        report("shows a report; ignored", refused=False)
    if commands & {"set"}:
        _check_options(arguments, report=report)
    includes = commands & {*INCLUDE_COMMANDS, *DATA_COMMANDS}
    if includes and arguments:
        target = _check_path(arguments[0][1], path=path, scan=scan, report=report)
        if target and includes & set(INCLUDE_COMMANDS):
            _scan_file(target, scan=scan)
        return ""
    for match in _DATA_FILE.finditer(statement):
        _check_path(_unquote(match[1]), path=path, scan=scan, report=report)
    active_class = _class_of(statement, commands, arguments, active_class=active_class)
    _check_properties(commands, arguments, active_class=active_class, report=report)
    return active_class


def _commands(word: str) -> set[str]:
    """Return which commands of interest a first word is, or may abbreviate."""
    if word in _WORDS:
        return {word}
    return {command for command in _WORDS if command.startswith(word)}


def _class_of(
    statement: str,
    commands: set[str],
    arguments: list[tuple[str | None, str]],
    *,
    active_class: str,
) -> str:
    """Return the class of the element that a following `~` would continue."""
    if commands & {"new", "edit", "select", "batchedit"} and arguments:
        return arguments[0][1].split(".", 1)[0].lower()
    mention = _MENTION.search(statement)
    return mention[1].lower() if mention else active_class


def _check_options(arguments: list[tuple[str | None, str]], *, report: _Report) -> None:
    """Report options of `Set` that reach outside."""
    for name, _ in arguments:
        for option in REFUSED_OPTIONS:
            if name and len(name) > 1 and option.startswith(name.lower()):
                report(f"option `{option}` reaches outside the feeder's folder")


def _check_properties(
    commands: set[str],
    arguments: list[tuple[str | None, str]],
    *,
    active_class: str,
    report: _Report,
) -> None:
    """Report properties that load a library, abbreviated or by position."""
    continues = bool(commands & {*_CONTINUE_COMMANDS})
    risky = active_class in LIBRARY_CLASSES or active_class.startswith("@")
    editing = risky and bool(commands & {*_EDIT_COMMANDS})
    for position, (name, _) in enumerate(arguments):
        if name:
            short = name.lower().rsplit(".", 1)[-1]
            for forbidden in LIBRARY_PROPERTIES:
                if short != forbidden and short and forbidden.startswith(short):
                    report(f"`{name}=` can mean `{forbidden}`, which loads a native library")
        elif editing and (position > 0 or continues):
            report(
                f"a value without a name can reach a property of {active_class} that loads a "
                f"native library; name the property"
            )


def _check_path(text: str, *, path: Path, scan: _Scan, report: _Report) -> Path | None:
    """Return the file that a reference means, or report why it cannot be used."""
    text = text.replace("\\", "/")
    if text.startswith("@"):
        report(f"the file name is a variable ({text}); write it out", fatal=True)
        return None
    absolute = text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text) is not None
    try:
        target = (path.parent / text).resolve()
        exists = target.is_file()
    except (OSError, ValueError):
        report(f"{text[:80]!r} cannot be the name of a file", fatal=True)
        return None
    if not exists:
        report(f"file {text!r} does not exist{_did_you_mean(target)}", fatal=True)
        return None
    if absolute:
        report(f"{text!r} is an absolute path; make it relative to this file")
    elif not target.is_relative_to(scan.root):
        shared = target.parent == scan.root.parent and target.suffix.lower() in SHARED_SUFFIXES
        reason = f"{text!r} lies outside the feeder's folder {scan.root}"
        report(f"{reason} (allowed: the folder above)" if shared else reason, refused=not shared)
    return target


def _did_you_mean(path: Path) -> str:
    """Return a hint at the most similar name in the same folder."""
    if not path.parent.is_dir():
        return f" (there is no folder {str(path.parent)!r})"
    near = nearest_name(path.name, names=[entry.name for entry in path.parent.iterdir()])
    return f", did you mean {near!r}?" if near else ""


def _unquote(value: str) -> str:
    """Return a value without OpenDSS's quotes or brackets."""
    if value and value[0] in "\"'([{":
        return value.strip("\"'()[]{}").strip()
    return value
