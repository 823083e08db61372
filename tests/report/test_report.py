"""The report is one safe, complete, valid file, whatever the run looks like."""

import csv
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from scenarios.metrics import METRICS, summarise
from scenarios.report import write_report, write_summary
from scenarios.report.data import percentiles_over_ids
from scenarios.report.files import safe_cell
from scenarios.report.layout import bus_positions, distances, feeding_tree
from scenarios.report.svg import el, nice_ticks, number_axis
from scenarios.report.tables import best_values
from scenarios.schema import Scenario
from tests.report.run_folders import plausible_run, small_feeder, write_run

HOSTILE = "<script>alert('x')</script>\"&\u202e\x07"
SECTIONS = (
    "health", "summary", "profile", "map", "head", "voltage", "loading", "devices", "method",
)  # fmt: skip
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Outline(HTMLParser):
    """Checks nesting and collects ids, tags and links."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.tags, self.links, self.faults = [], [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.faults.append(f"{tag} repeats an attribute")
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                self.links.append(value)
            if name.startswith("on"):
                self.faults.append(f"{tag} has {name}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def outline_of(html):
    parser = Outline()
    parser.feed(html)
    parser.close()
    return parser


def report_of(run):
    path = run.folder / "report.html"
    write_report(run, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    scenario = Scenario(name="winter_day", description="Cold & <b>dark</b>.")
    return plausible_run(tmp_path_factory.mktemp("day") / "run", scenario=scenario)


@pytest.fixture(scope="module")
def html(day):
    return report_of(day)


def test_the_report_is_valid_html_with_every_section(html):
    outline = outline_of(html)
    assert outline.faults == []
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert [i for i in outline.ids if i in SECTIONS] == list(SECTIONS)
    assert html.startswith("<!DOCTYPE html>")


def test_the_report_needs_nothing_from_outside(html):
    outline = outline_of(html)
    assert all(link.startswith("#") or link == "data:," for link in outline.links)
    assert not outline.tags & {"script", "iframe", "object", "embed", "img", "base", "form"}
    assert not re.search(r"https?://|@import|url\(", html)
    assert "default-src 'none'" in html


def test_every_chart_is_well_formed_has_alt_text_and_units(html):
    charts = re.findall(r'<svg [^>]*class="chart".*?</svg>', html, flags=re.DOTALL)
    assert len(charts) == 8  # profile, map, head, voltage, four kinds of device
    for chart in charts:
        image = ET.fromstring(chart)
        assert len(image.attrib["aria-label"]) > 30
        words = "".join(image.itertext())
        assert re.search(r"\[(pu|kW|%|GBP/kWh)\]| pu", words)
        assert "nan" not in chart.lower().replace("nan.", "")


def test_names_from_feeder_files_are_escaped_everywhere(tmp_path):
    feeder = small_feeder(bad_name=HOSTILE)
    run = plausible_run(tmp_path / "run", scenario=Scenario(), feeder=feeder)
    html = report_of(run)
    outline = outline_of(html)
    assert "script" not in outline.tags
    assert outline.faults == []
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in html
    assert not set("\u202e\x07") & set(html)


def test_a_description_cannot_bring_its_own_markup(html):
    assert "Cold &amp; &lt;b&gt;dark&lt;/b&gt;." in html


def test_health_comes_first_and_says_all_is_well(html):
    assert html.index('id="health"') < html.index('id="summary"') < html.index("<svg")
    assert html.count("All 96 steps were solved and recorded; no value is missing.") == 2


def test_the_method_names_load_model_seed_hash_and_versions(html):
    for fact in ("load model 1 with vminpu 0.7 and vmaxpu 1.3", "0123abcd", "opendss 0.14.5",
                 "synthetic.dss", "Europe/London", "0.95 to 1.05 pu"):  # fmt: skip
        assert fact in html
    for metric in METRICS.values():
        if metric.unit:
            assert f"<code>{metric.name}</code>" in html


def delta_run(folder):
    """A run on a feeder whose nodes all float but those of the first bus."""
    feeder = small_feeder()
    for node in feeder["nodes"]:
        node["grounded"] = node["bus"] == "t0"
    legs = {"1": "1.2", "2": "2.3", "3": "3.1"}
    ids = [f"{bus['bus']}.{leg}" for bus in feeder["buses"][::3] for leg in legs.values()]
    feeder["connections"] = [{"connection_id": i, "bus": i.partition(".")[0]} for i in ids]
    results = {"no_control": {
        "v_pu": {node["id"]: [0.7654] * 96 for node in feeder["nodes"]},
        "connection_v_pu": dict.fromkeys(ids, np.linspace(0.98, 1.01, 96)),
    }}  # fmt: skip
    return write_run(folder, scenario=Scenario(), results=results, feeder=feeder)


def test_the_report_of_a_delta_feeder_shows_connections_and_says_so(tmp_path):
    html = report_of(delta_run(tmp_path / "run"))
    assert outline_of(html).faults == []
    health = html[html.index('id="health"') : html.index('id="summary"')]
    assert "Voltages are those across the load connections" in health
    assert "27 of 30 nodes" in health  # 6 x 3 + 12, of which t0 has 3
    assert "15 of 18 load connections" in health
    for words in ("No control, leg AB", "leg BC", "leg CA", "median connection",
                  "Voltages are across load connections at the buses"):  # fmt: skip
        assert words in html
    assert "phase A" not in html
    assert "0.7654" not in html  # no floating voltage anywhere


def test_a_grounded_feeder_is_not_said_to_float(html):
    assert "those across the load connections" not in html
    assert "<dt>Floating buses</dt><dd>none</dd>" in html
    assert "<dt>Remarks on the feeder</dt><dd>none</dd>" in html


def test_remarks_of_the_engine_and_floating_buses_are_among_the_facts(tmp_path):
    feeder = small_feeder()
    for node in feeder["nodes"]:
        node["grounded"] = node["bus"] != "l52"
    feeder["notes"] = ["Load 'x' is rated for <b>another</b> voltage."]
    html = report_of(plausible_run(tmp_path / "run", scenario=Scenario(), feeder=feeder))
    assert "Load &#39;x&#39; is rated for &lt;b&gt;another&lt;/b&gt; voltage." in html
    assert (
        "<dt>Floating buses</dt><dd>1: l52; left out of voltage limits and charts, which leaves 1 "
        "load connection without a judged voltage</dd>" in html
    )
    assert "l52: not energised, floating, or left out of the limits" in html


def test_an_interrupted_run_is_reported_with_a_warning_and_no_winner(tmp_path):
    run = plausible_run(tmp_path / "run", scenario=Scenario(), n_steps=40)
    html = report_of(run)
    assert "40 of 96 steps recorded, the run ended as &#39;interrupted&#39;" in html
    outline = outline_of(html)
    assert outline.faults == []


def test_controllers_with_different_steps_have_no_best_value(tmp_path):
    voltages = {"t0.1": [1.0, 0.9], "t1.1": [1.0, 0.8]}
    results = {"no_control": {"v_pu": voltages},
               "rule_based": {"v_pu": {n: v[:1] for n, v in voltages.items()}}}  # fmt: skip
    run = write_run(tmp_path / "run", scenario=Scenario(), results=results, feeder=small_feeder())
    html = report_of(run)
    assert "no best value is marked" in html
    assert "(best)" not in html
    assert html.count("Nothing was recorded for this chart.") == 2


def test_failed_steps_make_the_run_not_usable(tmp_path):
    results = {"no_control": {"v_pu": {"t0.1": [1.0] * 96}}}
    health = {"no_control": {"health": {"non_converged_steps": 30, "held_steps": 30}}}
    run = write_run(
        tmp_path / "run",
        scenario=Scenario(),
        results=results,
        feeder=small_feeder(),
        run_info=health,
    )
    html = report_of(run)
    assert "Not usable" in html
    assert "Power flow not converged: 30" in html


def test_a_run_without_results_still_gives_a_report(tmp_path):
    run = write_run(tmp_path / "run", scenario=Scenario(), results={}, feeder=small_feeder())
    assert "No controller has results." in report_of(run)


def test_unsolved_steps_leave_gaps_and_no_nan(tmp_path):
    v = np.ones(96)
    v[10:20] = np.nan
    names = [node["id"] for node in small_feeder()["nodes"]]
    results = {"no_control": {"v_pu": dict.fromkeys(names, v)}}
    run = write_run(tmp_path / "run", scenario=Scenario(), results=results, feeder=small_feeder())
    html = report_of(run)
    assert not re.search(r'"[^"]*\bnan\b', html)


def test_a_long_run_shows_a_week_and_duration_curves(tmp_path):
    scenario = Scenario(time={"days": 20, "step_min": 60})
    run = plausible_run(tmp_path / "run", scenario=scenario, controllers=("no_control",))
    html = report_of(run)
    assert "Voltage duration curves" in html
    assert "Load duration curve" in html


def test_a_feeder_without_coordinates_becomes_a_tree_by_distance():
    positions, geographic = bus_positions(small_feeder(coordinates=False))
    km, title = distances(small_feeder())
    assert not geographic
    assert title.endswith("[km]")
    assert {bus: x for bus, (x, _) in positions.items()} == km
    ends = [f"l{i}2" for i in range(6)]
    assert len({positions[bus][1] for bus in ends}) == 6


def test_a_bus_without_coordinates_stands_on_the_bus_that_feeds_it():
    feeder = small_feeder()
    feeder["buses"][1] |= {"x": None, "y": None}
    positions, geographic = bus_positions(feeder)
    assert geographic
    assert positions[feeder["buses"][1]["bus"]] == positions["t0"]


def test_the_tree_starts_at_the_source_bus():
    feeder = small_feeder(coordinates=False) | {"source_bus": "t5"}
    assert next(iter(feeding_tree(feeder).parent)) == "t5"


def test_distances_fall_back_to_the_number_of_branches():
    feeder = small_feeder()
    feeder["buses"] = [bus | {"distance_km": None} for bus in feeder["buses"]]
    steps, title = distances(feeder)
    assert (steps["t0"], steps["t2"], steps["l22"]) == (0, 2, 4)
    assert title == "Branches from the source"


def test_summary_files_hold_every_metric(day):
    write_summary(day, {c: summarise(day, c) for c in day.controllers})
    with (day.folder / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["metric"] for row in rows] == list(METRICS)
    peak = next(row for row in rows if row["metric"] == "peak_kw")
    assert float(peak["no_control"]) == day.summary.loc["no_control", "peak_kw"]
    assert peak["unit"] == "kW"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "  =x"])
def test_no_cell_is_a_formula(text):
    assert safe_cell(text) == "'" + text


def test_numbers_and_plain_names_stay_as_they_are():
    assert safe_cell(-1.5) == -1.5
    assert safe_cell("bus.1") == "bus.1"
    assert safe_cell(float("nan")) == ""


def test_the_best_value_is_marked_only_if_it_differs_as_shown():
    lower, higher = METRICS["peak_kw"], METRICS["v_min_pu"]
    assert best_values(lower, [10.0, 20.0]) == [True, False]
    assert best_values(higher, [0.94, 0.96]) == [False, True]
    assert best_values(lower, [10.01, 10.02]) == [False, False]
    assert best_values(lower, [10.0, float("nan")]) == [False, False]
    assert best_values(METRICS["min_kw"], [1.0, 2.0]) == [False, False]


def test_percentiles_are_those_of_numpy_and_skip_missing_values():
    rng = np.random.default_rng(np.random.SeedSequence((5, 2)))
    values = rng.normal(size=(20, 11))
    values[3, 4:] = np.nan
    expected = np.nanpercentile(values, (10, 50, 90), axis=1).T
    np.testing.assert_allclose(percentiles_over_ids(values, (10, 50, 90)), expected, rtol=1e-12)
    assert np.isnan(percentiles_over_ids(np.full((1, 3), np.nan), (50,))).all()


def test_elements_escape_text_and_attributes():
    assert str(el("text", "<b>&", class_='"x')) == '<text class="&#34;x">&lt;b&gt;&amp;</text>'


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3.2, 17), (0.93, 1.06), (-1e5, 2e6), (0, 1e-4)]
)
def test_ticks_are_few_round_and_inside(low, high):
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low - 1e-9 <= t <= high + 1e-9 for t in ticks)
    labels = [label for _, label in number_axis(low, high).ticks]
    assert len(set(labels)) == len(labels)
