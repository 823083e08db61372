"""Model cards: exact round trip, refusal of what was not written, and of what does not apply."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from gradmap.errors import ScenarioError
from gradmap.policies.applicability import OutsideCounter, check_applicable
from gradmap.policies.card import (
    AgentFacts,
    GridFacts,
    ModelCard,
    Range,
    Result,
    TrainingDays,
    TrainingFacts,
    read_card,
    write_card,
)
from gradmap.policies.card_text import card_text
from gradmap.policies.checkpoint import load_policy
from gradmap.policies.independent import Architecture
from scenarios.loading import find_policy

VALIDATION = Result(
    n_days=100,
    n_violating=2,
    upper_bound=0.0616,
    cost_mean=812.5,
    violation_max_pu=0.0021,
    judged_by="own power flow",
    n_outside=5,
)
ADDED = ("threshold_pu", "n_outside", "n_overloaded")
"""Facts of a result that cards of before do not have."""
CARD = ModelCard(
    scenario_name="winter",
    scenario_hash="5c0",
    version="0.1.0",
    architecture=Architecture(hidden=(16,), clock_harmonics=4, senses_voltage=False),
    grid=GridFacts(
        feeder_name="ieee123",
        feeder_hash="f" * 64,
        source_v_pu=(1.0,),
        regulators="locked",
        v_min_pu=0.95,
        v_max_pu=1.05,
        loading_max=1.0,
        exclude_buses=("610",),
    ),
    days=TrainingDays(
        n_days=20,
        step_min=15.0,
        first_day_of_year=351,
        last_day_of_year=13,
        tariff_kind="tou",
        currency="GBP",
        common={
            "hour": Range(low=0.0, high=23.75),
            "price_import_per_kwh": Range(low=0.15, high=0.4),
            "price_export_per_kwh": Range(low=0.1, high=0.1),
        },
        by_kind={
            kind: {"base_load_kw": Range(low=0.1, high=4.1)} for kind in ("battery", "heat_pump")
        },
    ),
    agents={
        "h1/battery": AgentFacts(kind="battery", connection_id="1.1", device_hash="a"),
        "h1/heat_pump": AgentFacts(kind="heat_pump", connection_id="1.1", device_hash="b"),
        "h2/battery": AgentFacts(kind="battery", connection_id="7.1", device_hash="c"),
    },
    training=TrainingFacts(
        iterations=400,
        seed=3,
        seconds=61.25,
        hardware="x86_64, 2 cores",
        settings_hash="5e7",
        with_loading=False,
    ),
    tensors_sha256="7e5",
    validation=VALIDATION,
)


def edit(
    folder: Path, *, rehashed: bool = True, without: tuple[str, ...] = (), **content: object
) -> None:
    """Change the top level of a card, described truthfully if `rehashed`."""
    file = folder / "card.json"
    document = json.loads(file.read_text())
    for name in without:
        del document["card"][name]
    document["card"] |= content
    if rehashed:
        text = json.dumps(document["card"], sort_keys=True)
        document["card_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(document))


def counted(**values: object) -> OutsideCounter:
    """A counter that has seen values of one feature."""
    counter = OutsideCounter(CARD)
    kind = values.pop("kind", None)
    for feature, numbers in values.items():
        counter.add(feature, np.asarray(numbers, dtype=np.float64), kind=kind)
    return counter


@pytest.mark.parametrize("card", [CARD, replace(CARD, validation=None, test=VALIDATION)])
def test_a_written_card_comes_back_exactly(tmp_path, card):
    write_card(tmp_path / "policy", card)
    assert read_card(tmp_path / "policy") == card


def test_a_policy_without_card_has_none(tmp_path):
    assert read_card(tmp_path) is None


def test_a_test_result_is_filled_in_later(tmp_path):
    write_card(tmp_path, CARD)
    assert "had no part in training): none yet." in (tmp_path / "MODEL_CARD.md").read_text()
    result = replace(VALIDATION, n_days=1000, judged_by="OpenDSS", violation_max_pu=None)
    write_card(tmp_path, replace(read_card(tmp_path), test=result))
    assert read_card(tmp_path) == replace(CARD, test=result)
    text = (tmp_path / "MODEL_CARD.md").read_text()
    assert "2 of 1000 days are more than 0.001 pu outside a voltage limit" in text
    assert "some power flows had no solution" in text
    assert "judged by OpenDSS" in text


def test_the_text_says_what_a_planner_must_know(tmp_path):
    write_card(tmp_path, CARD)
    text = (tmp_path / "MODEL_CARD.md").read_text()
    for said in (
        "3 small neural networks, one for each device (2 battery, 1 heat_pump)",
        "power > 0 draws from the grid",
        "regulators locked",
        "Drawn days from 17 December to 13 January",
        "| `price_import_per_kwh` | all | 0.15 | 0.4 | GBP/kWh |",
        "| `base_load_kw` | heat_pump | 0.1 | 4.1 | kW |",
        "2 of 100 days are more than 0.001 pu outside a voltage limit, so with 95 % confidence "
        "at most 6.2 % are; outside at all: 5; at most 0.00210 pu outside;",
        "- Line loading: not limited in training.",
        "outside; loadings were not looked at; mean cost 812.50",
        "must not be used",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("with_loading", "said"),
    [
        (True, "Line loading: limited to 1 of the normal rating in training."),
        (False, "Line loading: not limited in training."),
        (None, "Line loading: this card does not say whether training limited it."),
    ],
)
def test_the_text_claims_no_limit_of_loading_that_training_did_not_have(
    tmp_path, with_loading, said
):
    training = replace(CARD.training, with_loading=with_loading)
    write_card(tmp_path, replace(CARD, training=training))
    assert said in (tmp_path / "MODEL_CARD.md").read_text()


def test_the_text_says_on_how_many_days_a_branch_is_overloaded(tmp_path):
    write_card(tmp_path, replace(CARD, validation=replace(VALIDATION, n_overloaded=7)))
    said = "a branch is overloaded by more than 1 % on 7;"
    assert said in (tmp_path / "MODEL_CARD.md").read_text()


def test_a_card_of_before_is_still_read(tmp_path):
    write_card(tmp_path, CARD)
    training = {k: v for k, v in asdict(CARD.training).items() if k != "with_loading"}
    validation = {k: v for k, v in asdict(VALIDATION).items() if k not in ADDED}
    edit(tmp_path, without=("tensors_sha256",), training=training, validation=validation)
    card = read_card(tmp_path)
    assert card.tensors_sha256 is None
    assert (card.training.with_loading, card.validation.n_outside) == (None, None)
    assert card.validation.threshold_pu == 0.001
    write_card(tmp_path, card)
    text = (tmp_path / "MODEL_CARD.md").read_text()
    assert "at most 6.2 % are; at most 0.00210 pu outside;" in text


def test_the_bundled_card_says_what_its_text_says():
    folder = find_policy("gradmap")
    card = read_card(folder)
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == card_text(card)
    assert card.tensors_sha256 == load_policy(folder).tensors_sha256
    assert card.training.with_loading is False
    assert (card.test.n_violating, card.test.n_outside) == (3, 9)


def test_a_changed_card_is_refused(tmp_path):
    write_card(tmp_path, CARD)
    edit(tmp_path, rehashed=False, scenario_name="summer")
    with pytest.raises(ScenarioError, match="changed after it was written"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"surprise": 1}, "`surprise`: "),
        ({"architecture": {**asdict(CARD.architecture), "depth": 1}}, r"`architecture.depth`: "),
        ({"training": asdict(CARD.training) | {"seconds": float("nan")}}, "seconds`: .*finite"),
        ({"training": asdict(CARD.training) | {"iterations": "4"}}, "valid integer"),
        ({"validation": asdict(VALIDATION) | {"n_violating": 101}}, "expected a part"),
        ({"validation": asdict(VALIDATION) | {"n_outside": 1}}, "expected a part"),
        ({"grid": None}, "`grid`: "),
        ({"agents": {"a": {**asdict(CARD.agents["h1/battery"]), "kind": "x"}}}, "no ranges of"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path, content, reason):
    write_card(tmp_path, CARD)
    edit(tmp_path, **content)
    with pytest.raises(ScenarioError, match=reason):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "format version is None"),
        ('{"format_version": 2}', "version is 2, expected 1"),
        ('{"format_version": 1, "card": {}, "x": 1}', r"unknown keys \['card_sha256', 'x'\]"),
    ],
)
def test_another_file_is_refused(tmp_path, text, reason):
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(ScenarioError, match=reason):
        read_card(tmp_path)


@pytest.mark.parametrize("ends", [(2.0, 1.0), (0.0, float("inf"))])
def test_impossible_ranges_cannot_be_made(ends):
    with pytest.raises(ValueError, match=r"low <= high|finite"):
        Range(low=ends[0], high=ends[1])


def test_a_policy_applies_where_it_was_trained_also_for_some_of_its_agents():
    some = {name: CARD.agents[name] for name in ("h1/battery", "h2/battery")}
    for agents in (CARD.agents, some, {}):
        assert check_applicable(CARD, policy="p", grid=CARD.grid, agents=agents) == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"regulators": "as_defined"}, r"`feeder.regulators` locked, here it is as_defined"),
        ({"source_v_pu": (1.02,)}, r"`feeder.source_v_pu` \[1\], here it is \[1.02\]"),
        ({"v_max_pu": 1.1, "v_min_pu": 0.9}, r"v_min_pu` 0.95.*0.9; `limits.v_max_pu` 1.05"),
        ({"exclude_buses": ()}, r"`limits.exclude_buses` \[610\], here it is \[\]"),
        ({"feeder_hash": "0" * 64}, "feeder 'ieee123' with hash ffffffffffff, .*another one"),
    ],
)
def test_another_network_is_refused(changes, reason):
    with pytest.raises(ScenarioError, match=reason):
        check_applicable(
            CARD, policy="p", grid=replace(CARD.grid, **changes), agents={}, outside_range="warn"
        )


def test_changed_devices_and_moved_homes_are_refused_with_the_command_that_helps():
    changed = {name: replace(agent, device_hash="new") for name, agent in CARD.agents.items()}
    with pytest.raises(ScenarioError, match="3 of 3 agents have another device") as caught:
        check_applicable(CARD, policy="p", grid=CARD.grid, agents=changed)
    assert "--fine-tune p --agents h1/battery,h1/heat_pump,h2/battery`" in str(caught.value)
    moved = {**CARD.agents, "h2/battery": replace(CARD.agents["h2/battery"], connection_id="9.1")}
    with pytest.raises(ScenarioError, match=r"1 of 3 agents are at another connection.*'h2"):
        check_applicable(CARD, policy="p", grid=CARD.grid, agents=moved)


def test_a_feature_is_outside_with_more_than_a_hundredth_beyond_the_widened_range():
    widened = 0.4 + 0.1 * 0.25
    inside = [0.3] * 99
    assert counted(price_import_per_kwh=[*inside, 0.9]).findings() == ()
    assert counted(price_import_per_kwh=[widened - 1e-9] * 3).findings() == ()
    (found,) = counted(price_import_per_kwh=[*inside[1:], 0.9, widened + 1e-9]).findings()
    assert (found.share, found.worst) == (0.02, 0.9)
    (below,) = counted(price_import_per_kwh=[0.2, -0.1, 0.1]).findings()
    assert below.worst == -0.1


def test_a_constant_feature_lets_rounding_pass_and_nothing_else():
    assert counted(price_export_per_kwh=[float(np.float32(0.1))]).findings() == ()
    assert len(counted(price_export_per_kwh=[0.11]).findings()) == 1


def test_counts_add_up_over_parts_and_kinds_are_apart():
    counter = counted(base_load_kw=[[1.0, 9.0], [1.0, 1.0]], kind="battery")
    counter.add("base_load_kw", np.array([float("nan")]), kind="heat_pump")
    counter.add("base_load_kw", np.array([1.0, 6.0]), kind="battery")
    found = {item.kind: item for item in counter.findings()}
    assert found["battery"].share == pytest.approx(2 / 6)
    assert found["battery"].worst == 9.0
    assert found["heat_pump"].share == 1.0


def test_features_that_are_not_checked_or_not_on_the_card_are_ignored():
    assert counted(hour=[99.0], temp_out_c=[99.0], v_pu=[9.0]).findings() == ()
    assert counted(base_load_kw=[99.0], kind="generator").findings() == ()


def test_inputs_outside_the_range_are_refused_or_let_pass_with_a_remark():
    outside = counted(price_import_per_kwh=[0.9]).findings()
    with pytest.raises(ScenarioError, match=r"'p': `price_import_per_kwh` is up to 0.9, trained"):
        check_applicable(CARD, policy="p", grid=CARD.grid, agents={}, outside=outside)
    (remark,) = check_applicable(
        CARD, policy="p", grid=CARD.grid, agents={}, outside=outside, outside_range="warn"
    )
    assert "0.15 to 0.4 (100 % of the values" in remark
