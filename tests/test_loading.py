"""Whatever stands in a scenario file, it becomes a Scenario or one clear message."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from gradmap.errors import ScenarioError
from scenarios.loading import (
    MAX_FILE_BYTES,
    bundled_policies,
    bundled_scenarios,
    config_hash,
    dump_scenario,
    find_scenario,
    load_scenario,
    parse_scenario,
)
from scenarios.schema import Scenario

BUNDLED = sorted(bundled_scenarios())


def load_text(folder: Path, text: str | bytes) -> Scenario:
    path = folder / "my.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_scenario(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_text(folder, text)
    message = str(caught.value)
    assert str(folder / "my.yaml") in message
    return message


# ---------------------------------------------------------------------- what YAML makes of text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 18:30", "`seed` is '18:30': expected a number, without quotes"),
        ("seed: 0123", "`seed` is '0123': expected a number"),
        ('seed: "2"', "`seed` is '2': expected a number"),
        ("seed: 1.5", "`seed` is 1.5: Input should be a valid integer"),
        ("seed: 1_000", "`seed` is '1_000': expected a number"),
        ("seed: 0x10", "`seed` is '0x10': expected a number"),
        ("population: {n_households: true}", "`population.n_households` is True: expected a num"),
        ("population: {pv_share: false}", "`population.pv_share` is False: expected a number"),
        ("feeder: {source_v_pu: on}", "`feeder.source_v_pu` is 'on': expected a number"),
        ("time: {days: '2'}", "`time.days` is '2': expected a number"),
        ("limits: {v_min_pu: .nan}", "`limits.v_min_pu` is nan: Input should be a finite number"),
        ("limits: {loading_max: .inf}", "`limits.loading_max` is inf: Input should be a finite"),
        ("limits: {exclude_buses: [610]}", "`limits.exclude_buses.0` is 610: Input should be a va"),
        ("name: 1e3", "`name` is 1000.0: Input should be a valid string"),
        ("time: {start: 20250318}", "`time.start` is 20250318: expected a date such as 2025-03-"),
        ("time: {start: 2025-03-18T00:00+01:00}", "must be wall clock without an offset"),
        ("time: {start: 9999-12-31}", "expected a year from 1950 to 2150"),
        ("time: {timezone: America}", "'America' is not an IANA time zone"),
        ("time: {timezone: ../etc}", "'../etc' is not an IANA time zone"),
        ("time: {step_min: 7}", "7 does not divide 60; use 1, 2, 5"),
        ("time: [1]", "`time` is [1]: Input should be a valid dictionary"),
        ("time:", "`time` is None: Input should be a valid dictionary"),
        ("controllers: []", "`controllers` is []: "),
        ("controllers: [no_control, no_control]", "`controllers` names one twice"),
        ("seed: 1\nseed: 2", "key 'seed' stands twice"),
        ("time: &t {days: 2}\nfeeder: *t", "aliases (*name) are not accepted"),
        ("seed: !!int '3'", "tags (tag:yaml.org,2002:int) are not accepted"),
        ("a: !!python/object/apply:os.system [ls]", "are not accepted"),
        ("? [a]\n: 1", "key ['a'] is not text"),
        ("1: 2", "key 1 is not text"),
        ("seed: " + "9" * 5000, "not valid YAML: Exceeds the limit"),
        ("a: " + "[" * 5000, "not valid YAML"),
        ("seed: [1", "not valid YAML"),
        ("", "holds NoneType, expected `key: value` lines"),
        ("- 1", "holds list, expected"),
        (b"\xff\xfe\x00\x01PNG", "cannot be read as text"),
        ("seed: \x00", "not valid YAML"),
        ("a: 1\n" * (MAX_FILE_BYTES // 5 + 1), f"larger than {MAX_FILE_BYTES} bytes"),
        ("a: [" + "1," * 30_000 + "]", "more than 20000 values"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "bytes",
)
def test_traps_are_refused_by_name(tmp_path, text, said):
    assert said in refusal(tmp_path, text)


def test_words_stay_words_and_numbers_numbers(tmp_path):
    scenario = load_text(
        tmp_path,
        "name: no\ndescription: on\nseed: 1e3\n"
        "limits: {exclude_buses: ['610', 18:30, yes, 0123, 650r]}\n"
        "coupling: {tolerance_pu: 1e-7}\nfeeder: {trust: false, tolerance: 1e-9}",
    )
    assert (scenario.name, scenario.description, scenario.seed) == ("no", "on", 1000)
    assert scenario.limits.exclude_buses == ("610", "18:30", "yes", "0123", "650r")
    assert scenario.coupling.tolerance_pu == 1e-7
    assert scenario.feeder.tolerance == 1e-9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sead: 1", "`sead`: unknown key. Did you mean `seed`?"),
        ("time: {step: 15}", "`time.step`: unknown key. Did you mean `step_min`?"),
        ("profiles: {weather: {latitude: 1}}", "Did you mean `latitude_deg`?"),
        ("qqqqqq: 1", "`qqqqqq`: unknown key."),
    ],
)
def test_unknown_keys_are_refused_with_the_nearest_one(tmp_path, text, said):
    assert said in refusal(tmp_path, text)


def test_every_finding_is_listed_at_once(tmp_path):
    message = refusal(tmp_path, "sead: 1\ntime: {days: 0, step_min: 7}\npopulation: {pv_share: 2}")
    for where in ("`sead`", "`time.days`", "`time.step_min`", "`population.pv_share`"):
        assert where in message


def test_shares_above_one_need_independent_ownership(tmp_path):
    text = "population: {{devices: {{battery: 0.8, heat_pump: 0.5}}, allocation: {}}}"
    message = refusal(tmp_path, text.format("one_each"))
    assert "`devices` shares add up to 1.633, expected at most 1" in message
    assert load_text(tmp_path, text.format("independent")).population.devices.battery == 0.8


def test_repeats_that_do_not_fit_into_the_step_are_refused(tmp_path):
    text = "time: {{step_min: 1}}\ncoupling: {{mode: {}, max_iterations: 60}}"
    message = refusal(tmp_path, text.format("iterate"))
    assert "`coupling.max_iterations: 60` takes 124 s of HELICS time" in message
    assert "`time.step_min: 1` has only 60 s" in message
    assert load_text(tmp_path, text.format("ordered")).coupling.max_iterations == 60


# ------------------------------------------------------------------------------ files and paths


def test_relative_paths_start_at_the_scenario_file(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    for name in ("homes.csv", "load.csv", "feeder.dss"):
        (tmp_path / "data" / name).touch()
    monkeypatch.chdir(tmp_path / "data")
    scenario = load_text(
        tmp_path,
        "population: {households_file: data/homes.csv}\n"
        f"profiles: {{base_load_file: {tmp_path}/data/load.csv}}\n"
        "feeder: {source: data/feeder.dss}\ncontrollers: ['policy:data/p', policy:/abs/q]",
    )
    assert scenario.population.households_file == tmp_path / "data/homes.csv"
    assert scenario.profiles.base_load_file == tmp_path / "data/load.csv"
    assert scenario.feeder.source == str(tmp_path / "data/feeder.dss")
    assert scenario.controllers == (f"policy:{tmp_path}/data/p", "policy:/abs/q")


def test_a_policy_may_be_a_bundled_one_unless_the_folder_stands_beside_the_file(tmp_path):
    name = next(iter(bundled_policies()))
    bundled = load_text(tmp_path, f"controllers: ['policy:{name}']").controllers
    assert bundled == (f"policy:{bundled_policies()[name]}",)
    (tmp_path / name).mkdir()
    own = load_text(tmp_path, f"controllers: ['policy:{name}']").controllers
    assert own == (f"policy:{tmp_path}/{name}",)


@pytest.mark.parametrize("name", ["homes.csv", "x" * 300])
def test_a_missing_file_is_named_with_the_folder_searched(tmp_path, name):
    path = tmp_path / "my.yaml"
    path.write_text(f"population: {{households_file: {name}}}")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert f"`households_file` names {name}, which does not exist" in str(caught.value)
    assert f"looked in {tmp_path}" in str(caught.value)


@pytest.mark.parametrize("name", ["quick_strat", "no/such.yaml", "x" * 300, "."])
def test_an_unknown_scenario_lists_the_bundled_ones(name):
    with pytest.raises(ScenarioError, match=r"nor a bundled scenario .*quick_start"):
        find_scenario(name)


# ---------------------------------------------------------------------------------- there and back


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_scenarios_survive_dump_and_load(tmp_path, name):
    scenario = load_scenario(bundled_scenarios()[name])
    dump_scenario(scenario, tmp_path / "again.yaml")
    again = load_scenario(tmp_path / "again.yaml")
    assert again == scenario
    assert config_hash(again) == config_hash(scenario)


@pytest.mark.parametrize("text", ["1e3", "0123", "no", "~", "2025-01-01", "12e5", "0", "True"])
def test_text_that_looks_like_something_else_survives_dump_and_load(tmp_path, text):
    data = {"limits": {"exclude_buses": [text, ".5", "1.e3"]}, "description": text}
    if text != "~":
        data["name"] = text
    scenario = parse_scenario(data, origin=tmp_path / "x.yaml")
    dump_scenario(scenario, tmp_path / "again.yaml")
    assert load_scenario(tmp_path / "again.yaml") == scenario


def leaves(model: BaseModel) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        below = leaves(value) if isinstance(value, BaseModel) else [()]
        found += [(name, *rest) for rest in below]
    return found


def with_value(model: BaseModel, where: tuple[str, ...], value: Any) -> Any:
    name, *rest = where
    new = with_value(getattr(model, name), tuple(rest), value) if rest else value
    return model.model_copy(update={name: new})


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_config_hash_changes_with_every_setting():
    scenario = Scenario()
    paths = leaves(scenario)
    hashes = {config_hash(with_value(scenario, where, "changed")) for where in paths}
    assert len(paths) > 50
    assert len(hashes | {config_hash(scenario)}) == len(paths) + 1


# ------------------------------------------------------------------------------------ any text

KEYS = st.sampled_from([".".join(where) for where in leaves(Scenario())] + ["time", "x", ""])
SCALARS = st.one_of(
    st.sampled_from(["18:30", "no", "0123", "1e3", ".nan", "-.inf", "~", "*a", "&a b", "!!int x"]),
    st.integers().map(str),
    st.floats().map(repr),
    st.text(max_size=12),
)


@st.composite
def scenario_like(draw: st.DrawFn) -> str:
    """Lines with keys of the schema and any values: deeper than random text gets."""
    lines = []
    for key, value in draw(st.lists(st.tuples(KEYS, SCALARS), min_size=1, max_size=4)):
        *sections, name = key.split(".")
        lines += [f"{'  ' * depth}{section}:" for depth, section in enumerate(sections)]
        lines.append(f"{'  ' * len(sections)}{name}: {value}")
    return "\n".join(lines)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(scenario_like(), st.text(max_size=60), st.binary(max_size=60)))
def test_any_file_is_a_scenario_or_a_scenario_error(tmp_path, text):
    with contextlib.suppress(ScenarioError):  # any other exception fails the test
        assert isinstance(load_text(tmp_path, _encodable(text)), Scenario)


def _encodable(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
