"""The command line as a fixture."""

import pytest

from tests.cli.helpers import CommandLine


@pytest.fixture
def gradmap(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Call a command, get exit code and output."""
    return CommandLine(capsys)
