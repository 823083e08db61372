"""Statements that write files, load libraries or reach outside are found before anything runs."""

import contextlib

import hypothesis
import hypothesis.strategies as st
import opendssdirect
import pytest

from gradmap.errors import FeederError
from opendss_models import scan_rules
from opendss_models.engine import Engine, EngineSettings
from opendss_models.scan import scan_feeder
from opendss_models.scan_rules import FILE_PROPERTIES, LIBRARY_PROPERTIES

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
        "set recorder=y",
        "set dem=true",
        "set tracecontrol=yes",
        "set /tmp",
        "solve datapath=/tmp",
        "solve mode=h",
        "solve\nquit",
        "new line.a/b bus1=a",
        "new linecode.../a",
        "new load.a\\b bus1=a",
        "show zone ../../x",
        "new loadshape.s npts=1 mult=@f",
        "set keeplist=(file=/etc/hostname)",
        "new load.a bus1=a\nfrobnicate",
        "cl",
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
        "set recorder=no demandinterval=false",
        "set maxcontrol=30\ncalcv\nsolve mode=daily number=24",
        "new wiredata.4/0_acsr rac=1\nnew linecode.1/0 nphases=1",
        "new line.l bus1=a bus2=b switch=y r1=1 1 1 1",
        "new swtcontrol.s switchedobj=line.l action=open\nswtcontrol.s.action=close",
        "new regcontrol.r transformer=t winding=2 debugtrace=no delay=30",
        "new loadshape.s 2 interval=(1 3600 /) mult=(1 2)",
        "new circuit.y basekv=4.16\n~ mvasc3=200000 200000",
        "transformer.t.wdg=2 tap=(0.00625 3 * 1 +)",
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


def test_a_byte_order_mark_is_not_part_of_the_first_command(tmp_path):
    path = tmp_path / "master.dss"
    path.write_text(HEAD, encoding="utf-8-sig")
    assert scan_feeder(path).findings == ()


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


LINE = "new line.l bus1=sourcebus bus2=b length=1\nnew load.d bus1=b kv=4.16 kw=10\n"
METER = LINE + "new energymeter.m line.l 1\n"
SHAPE = "new loadshape.e npts=4 interval=1 mult=(1 2 3 4)"

WRITES = {
    'new "loadshape.../../evil" npts=4 mult=(1 2 3 4) action=dblsave': "evil_P.dbl",
    f"{SHAPE} action=d": "e_P.dbl",
    f"{SHAPE}\nloadshape.e.a=sngsave": "e_P.sng",
    f"{SHAPE}\nloadshape.e.npts='4\" action=\"dblsave'": "e_P.dbl",
    f'{SHAPE}\n"loadshape.e.npts=4 action"=dblsave': "e_P.dbl",
    "new loadshape.a'b npts=4 mult=(1 2 3 4) action=dblsave '": "a'b_P.dbl",
    "new tshape.e npts=4 temp=(1 2 3 4) sinterval=3600 60 dblsave": "e.dbl",
    f"{SHAPE}\ncvrtloadshapes": "e_P.sng",
    f"{METER}set casename=../../pwn\nset demandinterval=yes\nset mode=daily number=4\n"
    "solve\nclosedi": "DI_Totals_.csv",
    f"{METER}solve casename=../../pwn demandint=yes mode=daily number=4\ncleanup\nclosedi": (
        "DI_Totals_.csv"
    ),
    f"{METER}solve\nenergymeter.m.action=save": "MTR_m.csv",
    f"{METER}solve\nenergymeter.m.action=zonedump": "Zone_m.csv",
    f"{LINE}set recorder=yes\nsolve": "DSSRecorder.dss",
    f"{LINE}set tracecontrol=yes\nsolve": "Trace_ControlQueue.csv",
    f"{LINE}set querylog=yes\n? line.l.r1": "QueryLog.csv",
    f"{LINE}solve mode=autoadd": "x_AutoAddLog.csv",
    f"{LINE}solve\nsolve mode=harmonic": "x_SavedVoltages.dbl",
    f"{LINE}solve\n_showcontrolqueue": "x_ControlQueue.csv",
    f"{LINE}solve\n=export voltages": "x_EXP_VOLTAGES.csv",
    f"{LINE}solve\nvar @c=export\n@c voltages": "x_EXP_VOLTAGES.csv",
}
READS = {
    "new loadshape.e npts=1 cs={path}": "loadshape.e.mult",
    "new loadshape.e npts=1 interval = 1, CSVF = ({path})": "loadshape.e.mult",
    "new loadshape.e 1 1 (1) (1) 1 1 {path}": "loadshape.e.mult",
    "new loadshape.e npts=1 mult=(file={path})": "loadshape.e.mult",
    "new loadshape.e npts=1 mult=[(file) = {path}]": "loadshape.e.mult",
    "new xycurve.e npts=1 csvf={path}": "xycurve.e.yarray",
}


def new_context():
    dss = opendssdirect.dss.NewContext()
    dss.Basic.AllowChangeDir(False)
    dss.Basic.AllowEditor(False)
    dss.Basic.AllowForms(False)
    return dss


def deep_feeder(tmp_path, text):
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    (folder / "e.csv").write_text("1\n2\n3\n4\n")
    return feeder(folder, text)


@pytest.mark.parametrize("text", WRITES)
def test_what_makes_the_engine_write_a_file_is_refused_without_trust(tmp_path, text):
    path = deep_feeder(tmp_path, text)
    with pytest.raises(FeederError, match="was not run"):
        scan_feeder(path)
    assert scan_feeder(path, trust=True).findings
    new_context().Text.Command(f'compile "{path}"')
    assert list(tmp_path.rglob(WRITES[text]))


@pytest.mark.parametrize("text", READS)
def test_what_makes_the_engine_read_any_file_is_refused_without_trust(tmp_path, text):
    secret = tmp_path / "secret.key"
    secret.write_text("77, 77\n")
    path = deep_feeder(tmp_path, text.format(path=secret))
    with pytest.raises(FeederError, match="was not run"):
        scan_feeder(path)
    assert scan_feeder(path, trust=True).findings
    dss = new_context()
    dss.Text.Command(f'compile "{path}"')
    dss.Text.Command(f"? {READS[text]}")
    assert "77" in dss.Text.Result()


def test_reports_of_an_untrusted_feeder_are_thrown_away_and_of_a_trusted_one_kept(tmp_path):
    text = f"{LINE}set voltagebases=[4.16]\ncalcvoltagebases\nsolve\nshow voltages\n"
    path = deep_feeder(tmp_path, text)
    Engine(path)
    assert not list(tmp_path.rglob("*VLN*"))
    Engine(path, settings=EngineSettings(trust=True))
    assert list(path.parent.glob("*VLN*"))


def test_every_command_and_option_of_the_engine_is_either_allowed_or_refused():
    executive = opendssdirect.dss.Executive
    commands = {executive.Command(k + 1).lower() for k in range(executive.NumCommands())}
    options = {executive.Option(k + 1).lower() for k in range(executive.NumOptions())}
    assert commands - {"//"} == scan_rules.ALLOWED_COMMANDS | scan_rules.REFUSED_COMMANDS.keys()
    assert options == scan_rules.ALLOWED_OPTIONS | scan_rules.REFUSED_OPTIONS.keys()
    assert not scan_rules.ALLOWED_COMMANDS & scan_rules.REFUSED_COMMANDS.keys()
    assert not scan_rules.ALLOWED_OPTIONS & scan_rules.REFUSED_OPTIONS.keys()


@pytest.mark.parametrize(
    "command", sorted(scan_rules.ALLOWED_COMMANDS - {*scan_rules.REPORT_COMMANDS})
)
def test_an_allowed_command_writes_no_file(tmp_path, command):
    path = deep_feeder(tmp_path, f"{METER}set voltagebases=[4.16]\ncalcvoltagebases\nsolve")
    dss = new_context()
    dss.Text.Command(f'compile "{path}"')
    with contextlib.suppress(opendssdirect.DSSException):
        dss.Text.Command(command)
    assert {item.name for item in tmp_path.rglob("*") if item.is_file()} == {"master.dss", "e.csv"}


NEEDED = {
    "regcontrol": "transformer=t winding=2",
    "capcontrol": "element=line.l capacitor=c",
    "storagecontroller": "element=line.l elementlist=[s]",
    "swtcontrol": "switchedobj=line.l",
    **dict.fromkeys(("relay", "recloser", "fuse"), "monitoredobj=line.l"),
    **dict.fromkeys(
        ("monitor", "energymeter", "gendispatcher", "sensor", "espvlcontrol"), "element=line.l"
    ),
}


def test_every_property_of_the_engine_that_reads_writes_or_loads_is_known_to_the_scan():
    dss = new_context()
    dss.Text.Command("new circuit.x basekv=4.16")
    for line in LINE.splitlines():
        dss.Text.Command(line)
    dss.Text.Command("new transformer.t buses=[b c] kvs=[4.16 .48]")
    dss.Text.Command("new capacitor.c bus1=b")
    dss.Text.Command("new storage.s bus1=b")
    risky = {*LIBRARY_PROPERTIES, *FILE_PROPERTIES, "debugtrace"}
    for name in map(str.lower, dss.Basic.Classes()):
        dss.Text.Command(f"new {name}.probe {NEEDED.get(name, '')}")
        properties = [item.lower() for item in dss.Element.AllPropertyNames()]
        suspicious = {p for p in properties if "file" in p or "dll" in p or "model" in p}
        assert suspicious <= risky | {"model", "earthmodel", "controlmodel"}, name
        writing = {"action"} if name in scan_rules.ACTION_CLASSES else set()
        first = next((k for k, p in enumerate(properties) if p in risky | writing), None)
        if first is None:
            assert name in scan_rules.FREE_CLASSES
        else:
            assert name not in scan_rules.FREE_CLASSES
            assert scan_rules.SAFE_POSITIONS[name] == first


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
