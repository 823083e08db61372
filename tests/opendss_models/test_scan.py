"""Statements that write files, load libraries or reach outside are found before anything runs."""

import contextlib
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest

from gradmap.errors import FeederError
from opendss_models.engine import Engine
from opendss_models.scan import LIBRARY_CLASSES, LIBRARY_PROPERTIES, scan_feeder

MASTER = Path(__file__).parents[2] / "opendss_models" / "ieee123" / "master.dss"

HEAD = "clear\nnew circuit.x basekv=4.16\n"


def feeder(folder, text, *, name="master.dss"):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(HEAD + text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "new generator.g bus1=a usermodel=/tmp/evil.so",
        "new generator.g bus1=a UserM='/tmp/evil'",
        "new generator.g bus1=a\n~ us=evil",
        "new generator.g bus1=a\nmore ShaftModel = (evil)",
        "new storage.s dynadll=evil",
        "new storage.s dyn=evil",
        "pvsystem.p.usermodel=evil",
        "edit capcontrol.c model=1 u=evil",
        'new pvsystem.p "usermodel"=evil',
        "batchedit generator..* usermodel=evil",
        "new generator.g kv=1 [a // b] usermodel=evil",
        "new generator.g model=6 evil",
        "new generator.g\n~ 1 2 3 evil",
        "select storage.s\n~ evil",
        "generator.g.kw=3\n~ evil",
        "set class=storage\n~ evil",
        "var @c=generator\nnew @c.g 1 2 evil",
        "new load.a kw=(5 ! 3) usermodel=evil",
        "new generator.g usermodel\t=\tevil",
        "solve\x0b/* \nexport voltages\n*/",
        " /*\nexport voltages\n*/",
        "doscmd rm x",
        "DOS rm x",
        "save circuit dir=/tmp/x",
        "sa circuit",
        "export voltages /tmp/x.csv",
        "Exp v",
        '"export" voltages',
        "dump",
        "fileedit x",
        "formedit load.x",
        "alignfile file=x.txt",
        "cd /tmp",
        "set datapath=/tmp",
        "set data=/tmp",
        "set mode=snap editor=/bin/sh",
    ],
)
def test_dangerous_statements_are_refused_with_their_line(tmp_path, text):
    path = feeder(tmp_path, text)
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(FeederError, match=r"(?s)master\.dss:[345]: .*trust=True") as caught:
        scan_feeder(path)
    assert "was not run" in str(caught.value)
    report = scan_feeder(path, trust=True)
    assert any(finding.refused for finding in report.findings)


@pytest.mark.parametrize(
    "text",
    [
        "! export voltages",
        "// save circuit",
        "/* export\nexport voltages\n*/\nsolve",
        "new load.a bus1=x.1 kv=2.4 kw=1 ! usermodel=evil",
        "new monitor.m1 line.l 1 mode=0",
        "new energymeter.m line.l 1",
        "set mode=snapshot\nset voltagebases=[4.16 0.48]\ncalcvoltagebases",
        "new line.l bus1=a bus2=b r1=(0.1 3 /) length=2 units=km",
        "new generator.g bus1=a kv=2.4 kw=3 spectrum=default",
        "new loadshape.s npts=2 mult=[1 2] useactual=yes",
        "edit vsource.source pu=1.05",
        "sample\nreset\nsummary\nclose line.l 1\nenable load.x",
    ],
)
def test_ordinary_statements_pass_without_findings(tmp_path, text):
    assert scan_feeder(feeder(tmp_path, text)).findings == ()


def test_show_and_plot_are_noted_but_allowed(tmp_path):
    report = scan_feeder(feeder(tmp_path, "show voltages ln nodes\nplot profile phases=all\n"))
    assert [finding.refused for finding in report.findings] == [False, False]


def test_all_included_files_are_followed(tmp_path):
    path = feeder(tmp_path, "redirect sub/lines.dss\nbuscoords xy.csv\n")
    (tmp_path / "xy.csv").write_text("a, 1, 2\n")
    feeder(tmp_path / "sub", "redirect more.dss", name="lines.dss")
    feeder(tmp_path / "sub", "redirect ../master.dss\nexport summary", name="more.dss")
    with pytest.raises(FeederError, match=r"more\.dss:4: `export summary`"):
        scan_feeder(path)
    names = [file.name for file in scan_feeder(path, trust=True).files]
    assert names == ["master.dss", "lines.dss", "more.dss"]


@pytest.mark.parametrize("statement", ["redirect Loads.DSS", "buscoords (Loads.DSS)"])
def test_a_missing_file_is_refused_even_when_trusted_and_the_nearest_name_is_given(
    tmp_path, statement
):
    path = feeder(tmp_path, statement)
    (tmp_path / "loads.dss").write_text("")
    for trust in (False, True):
        with pytest.raises(FeederError, match=r"'Loads\.DSS' does not exist.*mean 'loads\.dss'"):
            scan_feeder(path, trust=trust)


def test_a_missing_data_file_inside_a_property_is_found(tmp_path):
    path = feeder(tmp_path, "new loadshape.s npts=2 mult=(file=shapes/one.csv)")
    with pytest.raises(FeederError, match=r"'shapes/one\.csv' does not exist.*no folder"):
        scan_feeder(path)
    path = feeder(tmp_path, "new loadshape.s npts=2 csvfile=one.csv")
    with pytest.raises(FeederError, match=r"'one\.csv' does not exist"):
        scan_feeder(path)


def test_a_shared_line_code_file_in_the_folder_above_is_allowed(tmp_path):
    (tmp_path / "LineCodes.DSS").write_text("new linecode.a")
    path = feeder(tmp_path / "13Bus", "redirect ../LineCodes.DSS")
    (finding,) = scan_feeder(path).findings
    assert not finding.refused
    assert "allowed" in finding.reason


@pytest.mark.parametrize(
    "target", ["../../far.dss", "../lib/other.dss", "../data.bin", "../secret"]
)
def test_files_further_away_or_of_another_kind_are_refused(tmp_path, target):
    folder = tmp_path / "top"
    (folder / "feeder").mkdir(parents=True)
    (folder / "lib").mkdir()
    path = feeder(folder / "feeder", f"redirect {target}")
    (path.parent / target).resolve().write_text("")
    with pytest.raises(FeederError, match="lies outside the feeder's folder"):
        scan_feeder(path)
    assert scan_feeder(path, trust=True).files


def test_absolute_paths_are_refused_wherever_they_point(tmp_path):
    inside = tmp_path / "loads.dss"
    inside.write_text("")
    path = feeder(tmp_path, f'redirect "{inside}"')
    with pytest.raises(FeederError, match="absolute path"):
        scan_feeder(path)


def test_backslashes_mean_folders(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "loads.dss").write_text("")
    assert len(scan_feeder(feeder(tmp_path, "redirect sub\\loads.dss")).files) == 2


def test_a_file_name_in_a_variable_is_refused(tmp_path):
    with pytest.raises(FeederError, match="variable"):
        scan_feeder(feeder(tmp_path, "var @f=x.dss\nredirect @f"))


def test_every_class_of_the_engine_that_loads_a_library_is_known_to_the_scan():
    dss = Engine(MASTER)._dss
    loading = set()
    for name in ("Generator", "Storage", "PVSystem", "CapControl", "Load", "Line", "RegControl"):
        options = " element=line.l1 capacitor=c83" if name == "CapControl" else ""
        options = " transformer=reg1a winding=2" if name == "RegControl" else options
        dss.Text.Command(f"new {name}.probe{options}")
        properties = {item.lower() for item in dss.Element.AllPropertyNames()}
        if properties & set(LIBRARY_PROPERTIES):
            loading.add(name.lower())
        assert not properties & {
            short for item in LIBRARY_PROPERTIES for short in (item[:2], item[:3])
        }
    assert loading == {"generator", "storage", "pvsystem", "capcontrol"}
    assert loading <= set(LIBRARY_CLASSES)


def test_a_missing_master_file_is_refused_with_the_nearest_name(tmp_path):
    feeder(tmp_path, "")
    with pytest.raises(FeederError, match=r"not a file, did you mean 'master\.dss'"):
        scan_feeder(tmp_path / "Master.dss")


PIECES = [
    "new ",
    "generator.g ",
    "~ ",
    "redirect ",
    "usermodel=",
    "(",
    "[",
    '"',
    "'",
    "!",
    "//",
    "/*",
]


@hypothesis.given(
    st.lists(
        st.one_of(st.sampled_from([*PIECES, "\n", "a", " "]), st.text(max_size=8)), max_size=40
    )
)
@hypothesis.settings(max_examples=150, deadline=None, derandomize=True)
def test_any_text_is_either_accepted_or_refused_with_our_own_error(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("fuzz") / "master.dss"
    path.write_text("".join(pieces), errors="replace")
    with contextlib.suppress(FeederError):
        scan_feeder(path)


@hypothesis.given(
    prefix=st.sampled_from(["new generator.g ", "~ ", "edit storage.s kw=1 ", "load.a.kw=1 "]),
    name=st.sampled_from(LIBRARY_PROPERTIES),
    length=st.integers(1, 10),
    upper=st.booleans(),
    equals=st.sampled_from(["=", " =", "= ", " = ", "\t=\t"]),
    quotes=st.sampled_from(["", '"', "'"]),
)
@hypothesis.settings(max_examples=150, deadline=None, derandomize=True)
def test_no_spelling_of_a_library_property_passes(
    tmp_path_factory, prefix, name, length, upper, equals, quotes
):
    short = name[:length].upper() if upper else name[:length]
    path = tmp_path_factory.mktemp("fuzz") / "master.dss"
    path.write_text(f"{prefix}{quotes}{short}{quotes}{equals}evil")
    with pytest.raises(FeederError, match="native library"):
        scan_feeder(path)
