"""Settings on the command line are read as in scenario files."""

import pytest

from gradmap.errors import ScenarioError
from scenarios.cli.options import settings_changes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4e-2", 0.04),
        ("1E3", 1000.0),
        ("60", 60),
        ("true", True),
        ("clip", "clip"),
        ("no", "no"),
        ("[16, 8]", [16, 8]),
        ("{rate: 2e-3}", {"rate": 0.002}),
    ],
)
def test_values_are_strict_yaml(text, value):
    (found,) = settings_changes((f"name={text}",)).values()
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("change", "words"), [("x=[1,", "not valid YAML"), ("x", "NAME=VALUE")])
def test_what_is_no_setting_is_named(change, words):
    with pytest.raises(ScenarioError, match=words) as caught:
        settings_changes((change,))
    assert repr(change) in str(caught.value)
