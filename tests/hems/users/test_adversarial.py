import pytest

from federates.hems.users.adversarial import CATEGORIES, faults, load_cases
from gradmap.errors import ScenarioError

CASES = load_cases()


def test_enough_cases_in_all_categories():
    assert len(CASES) >= 70
    assert {case.category for case in CASES} == set(CATEGORIES)
    assert sum(case.injection for case in CASES) >= 15


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_accepts_its_allowed_values_and_nothing_forbidden(case):
    best = {key: values[0] for key, values in case.allowed.items()}
    assert faults(case, best) == []
    quiet = faults(case, {})
    assert bool(quiet) == bool(set(case.allowed) - case.may_abstain)
    for key, values in case.never.items():
        for value in values:
            assert faults(case, best | {key: value})
    for key in case.must_abstain:
        assert faults(case, best | {key: 1})


def test_values_nobody_said_are_faults():
    case = next(case for case in CASES if case.id == "f-stated")
    found = faults(case, {"comfort.temp_night_c": 16.5, "household.occupants": 2})
    assert found == ["household.occupants is 2, which nobody said"]


def test_shapes_are_what_they_claim():
    texts = {case.id: case.turns[0].text for case in CASES}
    assert texts["empty"] == ""
    assert len(texts["long-digits"]) == len(texts["long-noise"]) == 100_000
    assert "\0" in texts["control"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{id: a, category: spells, turns: [x], asked: [pv.peak_kw]}", "category"),
        ("{id: a, category: asr, turns: [x], asked: [pv.colour]}", "not a slot"),
        ("{id: a, category: asr, turns: [x]}", "which slots"),
        ("{id: a, category: asr, turns: [x], asked: [pv.peak_kw], mood: bad}", "mood"),
        (
            "{id: a, category: asr, turns: [x], asked: [pv.peak_kw], allowed: {pv.peak_kw: [900]}}",
            "900",
        ),
    ],
)
def test_wrong_cases_are_refused(tmp_path, entry, message):
    path = tmp_path / "cases.yaml"
    path.write_text(f"format: 1\ncases:\n  - {entry}\n")
    with pytest.raises(ScenarioError, match=message):
        load_cases(path)
