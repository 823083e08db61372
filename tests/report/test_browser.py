"""The report opens in a real browser: no errors, every section visible."""

import json
import re
import shutil
import subprocess

import pytest

from scenarios.report import write_report
from scenarios.schema import Scenario
from tests.report.run_folders import plausible_run

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--window-size=1200,900", "--virtual-time-budget=2000",
)  # fmt: skip
# Writes the size of every section and chart into the page's title; added to a copy of the report.
MEASURE = """<script>
const found = {};
for (const e of document.querySelectorAll("section, svg.chart")) {
  const box = e.getBoundingClientRect();
  found[e.id || "chart" + Object.keys(found).length] = [box.width, box.height];
}
found.overflow = [document.documentElement.scrollWidth, innerWidth];
document.title = JSON.stringify(found);
</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium or chrome on the PATH"),
]


def dump_dom(page, profile):
    """Return the DOM after loading, and what the browser wrote to its console."""
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    return done.stdout, re.findall(r".*CONSOLE.*", done.stderr)


@pytest.fixture
def report(tmp_path):
    run = plausible_run(tmp_path / "run", scenario=Scenario())
    write_report(run, run.folder / "report.html")
    return run.folder / "report.html"


def test_the_report_opens_without_a_console_message(report, tmp_path):
    dom, console = dump_dom(report, tmp_path / "profile")
    assert console == []
    assert dom.count('class="chart"') == 8


def test_every_section_and_chart_is_visible(report, tmp_path):
    # The policy of the report forbids scripts, rightly; the copy that is measured lifts it.
    html = re.sub(r"<meta http-equiv=.*?>", "", report.read_text(encoding="utf-8"))
    measured = tmp_path / "measured.html"
    measured.write_text(html.replace("</body>", MEASURE + "</body>"), encoding="utf-8")
    dom, console = dump_dom(measured, tmp_path / "profile")
    sizes = json.loads(re.search(r"<title>(.*?)</title>", dom).group(1))
    page_width, window_width = sizes.pop("overflow")
    assert console == []
    assert page_width <= window_width
    assert len(sizes) == 9 + 8
    assert all(width > 700 and height > 60 for width, height in sizes.values()), sizes
