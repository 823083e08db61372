"""Read a feeder's files before OpenDSS does: a .dss file is code.

OpenDSS loads a native library named by a property (`UserModel=`), writes files where a command,
option or property says (`Export`, `Set CaseName`, `Action=dblsave`), and reads any path. The scan
follows every file that the master file includes and reports such statements with file and line;
`opendss_models.scan_rules` lists what a file may say without trust. `trust=True` lets the rest
pass; a missing file never passes. It is a filter, not a sandbox.

Allowed without trust: files in the master file's folder, and line codes and other data files
(.dss, .txt, .csv) in the folder above it, because the IEEE feeders share one line-code file there.
`Show` and `Plot` are reported but allowed: without an editor or a display they at most write their
report into the output folder, which `Engine` throws away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gradmap.errors import FeederError
from opendss_models import scan_rules as rules
from opendss_models.dss_text import Token, split_statement, statements
from opendss_models.topology import nearest_name

SHARED_SUFFIXES = {".dss", ".txt", ".csv"}
"""Kinds of file that may also lie in the folder above the master file's."""
MAX_FILES = 2000

_LIBRARY = re.compile(
    rf"""\b(?:{"|".join(rules.LIBRARY_PROPERTIES)})\b|\.(?:so|dll|dylib)\b""", re.IGNORECASE
)
_PROPERTY = re.compile(r"""[^\s"'=(){}\[\]]+""")
_PATH_PARTS = ("/", "\\", "..")
_MAX_NESTING = 4


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
    for number, statement in statements(path):
        active_class = _scan_statement(
            statement, path=path, number=number, active_class=active_class, scan=scan
        )


def _scan_statement(text: str, *, path: Path, number: int, active_class: str, scan: _Scan) -> str:
    """Record the findings of one statement; return the class that `~` would continue."""
    tokens, statement = split_statement(text)
    if not tokens:
        return active_class

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

    if _LIBRARY.search(statement):
        report("names a native library or a property that loads one")
    if tokens[0].name:
        _check_assignment(tokens[0], report=report)
        parts = tokens[0].name.lower().split(".")
        active_class = parts[0] if len(parts) > 2 else ""
        _check_element(tokens, path=path, active_class=active_class, scan=scan, report=report)
        return active_class
    command = _command(tokens[0].value, report=report)
    arguments = tokens[1:]
    if command in (*rules.INCLUDE_COMMANDS, *rules.DATA_COMMANDS):
        _follow(command, arguments, path=path, scan=scan, report=report)
        return ""
    if command in rules.OPTION_COMMANDS:
        _check_options(command, arguments, report=report)
    if command in rules.REPORT_COMMANDS:
        report("shows a report; ignored", refused=False)
        if any(part in token.value for token in arguments for part in _PATH_PARTS):
            report("a report's name must not lead into another folder")
    if command in rules.EDIT_COMMANDS and command not in rules.CONTINUE_COMMANDS:
        active_class = _check_object(command, arguments[:1], report=report)
        arguments = arguments[1:]
    elif command not in rules.CONTINUE_COMMANDS:
        _check_values(arguments, path=path, scan=scan, report=report)
        return ""
    _check_element(
        arguments,
        path=path,
        active_class=active_class,
        continued=command in rules.CONTINUE_COMMANDS,
        scan=scan,
        report=report,
    )
    return active_class


def _command(word: str, *, report: _Report) -> str:
    """Return the command that a first word is, or report that it may not be used."""
    word = word.lower()
    found = rules.meanings(word, known={*rules.ALLOWED_COMMANDS, *rules.REFUSED_COMMANDS})
    refused = sorted(found & rules.REFUSED_COMMANDS.keys())
    for command in refused:
        means = "" if word == command else f", which `{word}` can mean,"
        report(f"`{command}`{means} {rules.REFUSED_COMMANDS[command]}")
    if not found:
        report(f"`{word[:40]}` is not a command that OpenDSS documents")
    if len(found) > 1 and not refused:
        report(f"`{word}` can mean {', '.join(sorted(found))}; write the command out")
    return found.pop() if len(found) == 1 else ""


def _follow(
    command: str, arguments: Sequence[Token], *, path: Path, scan: _Scan, report: _Report
) -> None:
    """Check the file that a statement includes, and scan it if it holds statements."""
    if not arguments:
        return
    target = _check_path(arguments[0].value, path=path, scan=scan, report=report)
    if target and command in rules.INCLUDE_COMMANDS:
        _scan_file(target, scan=scan)


def _check_assignment(token: Token, *, report: _Report) -> None:
    """Report `element.property=value` whose text OpenDSS would take apart again."""
    # The engine rebuilds `property="value" ...` from it and parses that anew.
    if not _PROPERTY.fullmatch(token.name) or '"' in token.value:
        report("quotes, brackets or blanks in it can hide another property; write it plainly")


def _check_object(command: str, arguments: Sequence[Token], *, report: _Report) -> str:
    """Report names that lead out of the folder; return the class of the object."""
    if not arguments:
        return ""
    reference = arguments[0].value
    class_name, dot, name = reference.lower().partition(".")
    if not dot:
        class_name, name = "", reference
    if reference.startswith("@"):
        report(f"the object is a variable ({reference}); write it out")
    catalogue = class_name in rules.CATALOGUE_CLASSES
    if command == "new" and any(
        part in name for part in _PATH_PARTS if not (catalogue and part == "/")
    ):
        report(f"the name {name[:80]!r} could lead to a file in another folder")
    return class_name


def _check_options(command: str, arguments: Sequence[Token], *, report: _Report) -> None:
    """Report options of `Set` and `Solve` that write files or reach outside."""
    for token in arguments:
        if not token.name:
            if command != "solve" or token.value.lower() != "all":
                report(f"{token.value[:80]!r} can set any option; name the option")
            continue
        known = {*rules.ALLOWED_OPTIONS, *rules.REFUSED_OPTIONS}
        found = rules.meanings(token.name.lower(), known=known)
        for option in sorted(found & rules.REFUSED_OPTIONS.keys()):
            if option not in rules.SWITCH_OPTIONS or not rules.is_off(token.value):
                report(f"option `{option}` {rules.REFUSED_OPTIONS[option]}")
        if not found:
            report(f"`{token.name[:40]}` is not an option that OpenDSS documents")
        if "mode" in found and rules.meanings(token.value.lower(), known=rules.WRITING_MODES):
            report(f"mode `{token.value}` writes files")


def _check_element(
    arguments: Sequence[Token],
    *,
    path: Path,
    active_class: str,
    continued: bool = False,
    scan: _Scan,
    report: _Report,
) -> None:
    """Report properties of an element that load, write or reach outside."""
    _check_values(arguments, path=path, scan=scan, report=report)
    safe = 0 if continued else rules.SAFE_POSITIONS.get(active_class, 0)
    for position, token in enumerate(arguments):
        if token.name:
            safe = 0  # a value without a name counts from the last property named
            _check_property(token, report=report)
        elif position >= safe and active_class not in rules.FREE_CLASSES:
            report(
                f"a value without a name can reach a property of {active_class or 'any element'} "
                f"that reads or writes files or loads a native library; name the property"
            )


def _check_property(token: Token, *, report: _Report) -> None:
    """Report a named property that loads a library or writes a file, abbreviated or not."""
    short = _short_name(token)
    for full in rules.LIBRARY_PROPERTIES:
        if short != full and rules.abbreviates(short, full):
            report(f"`{token.name}=` can mean `{full}`, which loads a native library")
    if rules.is_number(token.value):
        return
    harmless = token.value.lower() in rules.HARMLESS_ACTIONS
    if rules.abbreviates(short, "action") and not harmless:
        report(f"`{token.name}={token.value[:40]}` can write a file")
    if rules.abbreviates(short, "debugtrace") and not rules.is_off(token.value):
        report(f"`{token.name}={token.value[:40]}` can write a file at every solve")


def _check_values(tokens: Sequence[Token], *, path: Path, scan: _Scan, report: _Report) -> None:
    """Check every file that a value names, also inside arrays, and refuse variables."""
    for token in _nested(tokens):
        if token.value.startswith("@"):
            report(f"the value is a variable ({token.value[:40]}); write it out")
        short = _short_name(token)
        exact = short in (*rules.FILE_PROPERTIES, "file")
        short_form = any(rules.abbreviates(short, full) for full in rules.FILE_PROPERTIES)
        if exact or (short_form and not rules.is_number(token.value)):
            _check_path(token.value, path=path, scan=scan, report=report, fatal=exact)


def _nested(tokens: Sequence[Token], *, depth: int = 0) -> Iterator[Token]:
    """Yield values and the values in their quotes or brackets."""
    for token in tokens:
        yield token
        if token.quoted and "=" in token.value and depth < _MAX_NESTING:
            yield from _nested(split_statement(token.value)[0], depth=depth + 1)


def _short_name(token: Token) -> str:
    """Return the property's name without the element's."""
    return token.name.lower().rsplit(".", 1)[-1].strip()


def _check_path(
    text: str, *, path: Path, scan: _Scan, report: _Report, fatal: bool = True
) -> Path | None:
    """Return the file that a reference means, or report why it cannot be used."""
    text = text.replace("\\", "/")
    if text.startswith("@"):
        report(f"the file name is a variable ({text}); write it out", fatal=fatal)
        return None
    absolute = text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text) is not None
    try:
        target = (path.parent / text).resolve()
        exists = target.is_file()
    except (OSError, ValueError):
        report(f"{text[:80]!r} cannot be the name of a file", fatal=fatal)
        return None
    if not exists:
        report(f"file {text!r} does not exist{_did_you_mean(target)}", fatal=fatal)
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
