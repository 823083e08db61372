"""What a feeder file may say without trust: the tables of `opendss_models.scan`.

Commands, options and classes are listed completely, as allowed or refused; a test compares the
lists with the engine's own. What is in none of them is refused.
"""

from __future__ import annotations

from collections.abc import Collection


def _words(text: str) -> frozenset[str]:
    """Return the words of a table."""
    return frozenset(text.split())


def _reasons(words_by_reason: dict[str, str]) -> dict[str, str]:
    """Return the reason by word."""
    return {word: reason for reason, words in words_by_reason.items() for word in words.split()}


LIBRARY_PROPERTIES = ("usermodel", "shaftmodel", "dynadll")
"""Properties that make OpenDSS load a native library."""
FILE_PROPERTIES = ("csvfile", "sngfile", "dblfile", "pqcsvfile")
"""Properties that name a file to read; inside an array `file` does so too."""
ACTION_CLASSES = ("loadshape", "tshape", "priceshape", "monitor", "energymeter")
"""Classes whose `action` can write a file under the element's name."""
HARMLESS_ACTIONS = ("open", "close", "trip", "o", "c", "t")
"""Values of `action` that switch something: fuses, relays, reclosers, switches."""

EDIT_COMMANDS = ("new", "edit", "select", "batchedit", "~", "more", "m")
CONTINUE_COMMANDS = ("~", "more", "m")
OPTION_COMMANDS = ("set", "solve", "solveall")
INCLUDE_COMMANDS = ("redirect", "compile")
DATA_COMMANDS = ("buscoords", "latlongcoords", "giscoords", "uuids")
REPORT_COMMANDS = ("show", "plot", "visualize", "panel")
"""Commands that are noted and allowed; `show` writes a report into the output folder."""
ALLOWED_COMMANDS = frozenset(
    (*EDIT_COMMANDS, *OPTION_COMMANDS, *INCLUDE_COMMANDS, *DATA_COMMANDS, *REPORT_COMMANDS)
) | _words(
    "clear clearall calcvoltagebases setkvbase makebuslist reprocessbuses buildy init sample "
    "reset summary open close enable disable interpolate allocateloads relcalc setbusxy "
    "addbusmarker clearbusmarkers setloadandgenkv updatestorage rotate makeposseq ? get nodelist "
    "nodediff vdiff losses phaselosses cktlosses voltages puvoltages currents powers seqvoltages "
    "seqcurrents seqpowers totals totalpowers variable varnames varvalues classes userclasses"
)
REFUSED_COMMANDS = _reasons(
    {
        "writes files": (
            "save dump export exportoverloads exportvviolations alignfile cvrtloadshapes closedi "
            "distribute rephase reconductor estimate _showcontrolqueue"
        ),
        "reads files of earlier runs": "comparecases yearlycurves di_plot",
        "drives further engines": "clone newactor wait abort",
        "opens a network connection": "connect disconnect",
        "starts a program": "fileedit top",
        "opens a window": "formedit about help comhelp",
        "is not needed to describe a feeder": (
            "quit next reduce remove capacity zsc zsc10 zsc012 zscrefresh ysc _initsnap "
            "_solvenocontrol _samplecontrols _docontrolactions _solvedirect _solvepflow pstcalc "
            "cleanup finishtimestep calcincmatrix calcincmatrix_o refine_buslevels calclaplacian "
            "allpceatbus allpdeatbus"
        ),
        "sets a variable, behind which a command or file name can hide": "var",
        "runs a shell command": "doscmd",
        "rewrites the circuit": "obfuscate",
        "leaves the feeder's folder": "cd",
    }
)
"""Reason why a command is refused, by command."""

ALLOWED_OPTIONS = _words(
    "type element class object circuit hour sec h year frequency stepsize time mode random number "
    "tolerance maxiterations miniterations loadmodel loadmult normvminpu normvmaxpu emergvminpu "
    "emergvmaxpu %mean %stddev ldcurve %growth genkw genpf capkvar addtype allowduplicates "
    "zonelock ueweight lossweight ueregs lossregs voltagebases algorithm trapezoidal autobuslist "
    "controlmode genmult defaultdaily defaultyearly allocationfactors cktmodel pricesignal "
    "pricecurve terminal basefrequency harmonics maxcontroliter bus keeplist reduceoption "
    "keepload zmag %normal markercode nodewidth log cfactors showexport showreports "
    "numallociterations defaultbasefrequency markswitches switchmarkercode daisysize "
    "marktransformers transmarkercode transmarkersize loadshapeclass earthmodel markcapacitors "
    "markregulators markpvsystems markstorage capmarkercode regmarkercode pvmarkercode "
    "storemarkercode capmarkersize regmarkersize pvmarkersize storemarkersize neglectloady "
    "markfuses fusemarkercode fusemarkersize markreclosers reclosermarkercode reclosermarkersize "
    "markrelays relaymarkercode relaymarkersize sampleenergymeters seasonrating seasonsignal "
    "linetypes eventlogdefault longlinecorrection processtime totaltime steptime"
)
SWITCH_OPTIONS = (
    "recorder",
    "demandinterval",
    "diverbose",
    "overloadreport",
    "voltexceptionreport",
    "tracecontrol",
    "querylog",
)
"""Options that start writing files when on; switching them off passes."""
REFUSED_OPTIONS = _reasons(
    {
        "makes the engine write files": (
            "recorder demandinterval diverbose overloadreport voltexceptionreport tracecontrol "
            "querylog"
        ),
        "sets where files are written": "datapath casename",
        "names a program to start": "editor dssvisualizationtool",
        "is not about the feeder": (
            "registryupdate numcpus numcores numactors activeactor cpu actorprogress parallel "
            "concatenatereports numanodes"
        ),
    }
)
"""Reason why an option is refused, by option."""
WRITING_MODES = ("autoadd", "harmonic", "harmonict")
"""Solution modes that write a file at every solve."""

SAFE_POSITIONS = {
    "loadshape": 6,
    "tshape": 6,
    "priceshape": 6,
    "xycurve": 4,
    "growthshape": 3,
    "spectrum": 4,
    "regcontrol": 16,
    "capcontrol": 18,
    "generator": 29,
    "storage": 46,
    "relay": 36,
    "pvsystem": 29,
    "indmach012": 20,
    "monitor": 3,
    "energymeter": 2,
    # not in this build of the engine, but in others
    "windgen": 0,
    "capusercontrol": 0,
}
"""How many properties come before the first that must be named, by class."""
FREE_CLASSES = _words(
    "circuit linecode tcc_curve wiredata cndata tsdata linespacing linegeometry xfmrcode line "
    "vsource isource vccs load transformer capacitor reactor fault dynamicexp gendispatcher "
    "storagecontroller recloser fuse swtcontrol upfc upfccontrol espvlcontrol gicsource autotrans "
    "invcontrol expcontrol gicline gictransformer vsconverter sensor"
)
"""Classes none of whose properties reads, writes or loads anything."""
CATALOGUE_CLASSES = _words("linecode wiredata cndata tsdata linespacing linegeometry xfmrcode")
"""Classes whose elements have names such as `4/0_ACSR` and never become the name of a file."""


def meanings(word: str, *, known: Collection[str]) -> set[str]:
    """Return which known words a word is, or may abbreviate."""
    if word in known:
        return {word}
    return {item for item in known if word and item.startswith(word)}


def abbreviates(word: str, full: str) -> bool:
    """Tell whether a property's name is `full` or the start of it."""
    return bool(word) and full.startswith(word)


def is_off(value: str) -> bool:
    """Tell whether OpenDSS reads a value as no."""
    return value.lower() in ("n", "no", "f", "false")


def is_number(value: str) -> bool:
    """Tell whether a value is a number or a list of numbers."""
    try:
        for item in value.replace(",", " ").replace("|", " ").split():
            float(item)
    except ValueError:
        return False
    return True
