"""The figure of a day is valid, complete and true to the trajectories it shows."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from gradmap.violations import limited_nodes, node_vm_pu
from scenarios.benchmarks.reference_case.day_figure import write_day_figure
from scenarios.benchmarks.reference_case.day_figure_data import day_picture
from scenarios.case import open_case
from scenarios.loading import load_scenario
from tests.cli.helpers import CommandLine
from tests.reference_case.small_case import LIMITS, write_small_scenario

NUMBER = 3
NAMES = ("no_control", "price_only", "rule_based")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return the case, trajectories by name, the picture and its file."""
    folder = tmp_path_factory.mktemp("figure")
    case = open_case(load_scenario(write_small_scenario(folder)))
    rollout = case.rollout()
    days = case.days.sample("test", [NUMBER])
    with torch.no_grad():
        trajectories = {
            name: rollout.run(case.controller(name, fleet=rollout.fleet), days) for name in NAMES
        }
    # A name that is no XML as it stands.
    trajectories["<b> & co"] = trajectories.pop("rule_based")
    picture = day_picture(case, number=NUMBER, trajectories=trajectories, fleet=rollout.fleet)
    path = folder / "new" / "day.svg"
    write_day_figure(picture, path)
    return case, trajectories, picture, path


def _points(shape):
    """Return the points of a path of straight lines, [point, 2]. [px]"""
    return np.array([[float(v) for v in pair.split()] for pair in re.split("[MLZ]", shape) if pair])


def _paths(root, class_):
    """Return the paths of a class in the panels; those of the legend are horizontal strokes."""
    found = [p.get("d") for p in root.iter(f"{SVG}path") if p.get("class") == class_]
    return [_points(shape) for shape in found if "H" not in shape]


def test_the_file_holds_the_band_of_each_phase_and_column_where_it_belongs(drawn):
    case, trajectories, _, path = drawn
    root = ElementTree.parse(path).getroot()
    at_px = [line[0, 1] for line in _paths(root, "limit")[:2]]
    nodes = limited_nodes(case.feeder).numpy()
    for phase in "123":
        bands = _paths(root, f"band ph-{phase}")
        assert len(bands) == len(trajectories)
        own = [node for node in nodes if case.feeder.nodes.node_ids[node].endswith(f".{phase}")]
        for band, trajectory in zip(bands, trajectories.values(), strict=True):
            vm_pu = node_vm_pu(trajectory)[0].numpy()[:, own]
            slope = (LIMITS["v_max_pu"] - LIMITS["v_min_pu"]) / (at_px[0] - at_px[1])
            shown_pu = LIMITS["v_min_pu"] + slope * (at_px[0] - band[:, 1])
            assert shown_pu.min() == pytest.approx(vm_pu.min(), abs=1e-4)
            assert shown_pu.max() == pytest.approx(vm_pu.max(), abs=1e-4)


def test_powers_add_up_over_devices_and_homes(drawn):
    _, trajectories, picture, _ = drawn
    for column, trajectory in zip(picture.columns, trajectories.values(), strict=True):
        devices_mw = sum(column.device_mw.values())
        np.testing.assert_allclose(devices_mw, trajectory.p_kw[0].sum(dim=1) / 1e3, atol=1e-12)
        np.testing.assert_allclose(column.net_mw, picture.uncontrolled_mw + devices_mw, atol=1e-9)


def test_columns_are_named_and_colours_stay_light(drawn):
    _, trajectories, picture, path = drawn
    root = ElementTree.parse(path).getroot()
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert set(trajectories) <= set(texts)
    assert picture.title in texts
    assert "prefers-color-scheme" not in path.read_text()


def test_the_command_draws_a_day_and_refuses_other_formats(drawn, capsys, tmp_path):
    gradmap = CommandLine(capsys)
    scenario = drawn[3].parents[1] / "small.yaml"
    call = ("bench", "reference-case", "--scenario", scenario, "--days", "0", "--figure-day", "3")
    page = tmp_path / "day.html"
    assert gradmap(*call, "--figure", page).code == 0
    assert "Optimum" in page.read_text()
    assert page.read_text().startswith("<!DOCTYPE html>")
    refused = gradmap(*call, "--figure", tmp_path / "day.png")
    assert refused.code == 2
    assert ".svg or .html" in refused.err
