"""Cost against violation: one labelled mark a method, seeds of a method as a spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from markupsafe import Markup

from scenarios.report.figures import Figure, axis_titles, controller_class, panel_grid
from scenarios.report.svg import Axis, Panel, el, figure_svg, label_at, number_axis, path
from scenarios.study.compare import OPTIMUM, SIMPLE, Compared

HEIGHT = 330.0
HEAD = 26.0
"""Height of the figure's title. [px]"""
NAMES = {"no_control": "no control", "rule_based": "rule-based", "price_only": "price only"}
MILLI = 1e3
CLOSE_UP = 4.0
"""The panel of small violations ends so far beyond the largest of a policy. [-]"""
LINE = 14.0
"""Between labels that would cover each other. [px]"""
GAP = 10.0
"""Between a mark and its label. [px]"""
CHARACTER = 6.8
"""Mean width of a character of a label. [px]"""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One method."""

    name: str
    class_: str
    x_mpu: tuple[float, ...]
    """Mean over days of the largest distance outside, of each seed. [mpu]"""
    cost: tuple[float, ...]
    """Mean of a day, of each seed. [cur]"""


def cost_violation(compared: Compared) -> Figure:
    """Return the figure; on the days whose optimum is known, if there are any."""
    marks = _marks(compared)
    policies = [mark for mark in marks if mark.name not in (*NAMES.values(), OPTIMUM)]
    panels = [("All methods", marks)]
    if policies:
        reach = CLOSE_UP * max(max(mark.x_mpu) for mark in policies) + 0.2
        near = [mark for mark in marks if max(mark.x_mpu) <= reach]
        if len(near) < len(marks):
            panels.append(("Small violations", near))
    days = f"the {compared.optimum.n_days}" if compared.optimum else f"{compared.n_days:,}"
    kind = "test days whose optimum is known" if compared.optimum else "test days"
    title = f"{compared.scenario}, {days} {kind}"
    zero = Axis(low=0.0, high=1.0, ticks=())
    rows, height = panel_grid(rows=1, columns=len(panels), x=zero, y=zero, height=HEIGHT)
    grid = [[replace(panel, top=panel.top + HEAD) for panel in row] for row in rows]
    # The columns have axes of their own, so the second needs room for its labels.
    shift = 26.0
    drawn: list[Markup] = [label_at(title, x=grid[0][0].left, y=18, class_="title")]
    for column, (name, shown) in enumerate(panels):
        panel = grid[0][column]
        if column:
            panel = replace(panel, left=panel.left + shift, width=panel.width - shift)
        drawn.append(_panel(panel, shown, title=name))
    drawn.append(
        axis_titles(
            grid,
            x="Largest distance outside the voltage limits in OpenDSS, mean over days [0.001 pu]",
            y=f"Controllable cost a day [{compared.currency}]",
            height=height + HEAD,
        )
    )
    image = figure_svg(
        *drawn,
        width=1080.0,
        height=height + HEAD + 4,
        alt=f"{title}. " + " ".join(_in_words(mark) for mark in marks),
    )
    return Figure(title=title, image=image)


def method_classes(names: Sequence[str]) -> dict[str, str]:
    """Return the colour class of each method: policies first, the same in all figures."""
    return {name: controller_class(k + 1) for k, name in enumerate(dict.fromkeys(names))}


def _marks(compared: Compared) -> list[Mark]:
    classes = method_classes([row.name for row in compared.rows if row.name not in SIMPLE])
    marks = []
    for name in dict.fromkeys(row.name for row in compared.rows):
        rows = [row.optimum_days or row.all_days for row in compared.rows if row.name == name]
        marks.append(
            Mark(
                name=NAMES.get(name, name),
                class_=classes.get(name, "c-0"),
                x_mpu=tuple(MILLI * row.violation_mean_pu for row in rows),
                cost=tuple(row.cost for row in rows),
            )
        )
    if compared.optimum is not None:
        best = compared.optimum
        x_mpu = (MILLI * best.violation_mean_pu,)
        marks.append(Mark(name=OPTIMUM, class_="ink", x_mpu=x_mpu, cost=(best.cost,)))
    return marks


def _panel(panel: Panel, marks: Sequence[Mark], *, title: str) -> Markup:
    """Draw marks with labels on axes that just hold them."""
    costs = [cost for mark in marks for cost in mark.cost]
    most = max(x for mark in marks for x in mark.x_mpu)
    low, high = min(costs), max(costs)
    room = 0.12 * (high - low) or 1.0
    x_axis = number_axis(-0.03 * (most or 1.0), 1.22 * (most or 1.0))
    panel = replace(
        panel,
        x=replace(x_axis, ticks=tuple(tick for tick in x_axis.ticks if tick[0] >= 0.0)),
        y=number_axis(low - room, high + room),
    )
    drawn = [
        panel.frame(title=title),
        panel.line([0, 0], [panel.y.low, panel.y.high], class_="limit"),
    ]
    for mark in marks:
        drawn.append(_spread(panel, mark))
    return Markup("").join([*drawn, *_labels(panel, marks)])


def _spread(panel: Panel, mark: Mark) -> Markup:
    """Draw a dot a seed, and the median with the range over seeds where there are several."""
    x, y = median(mark.x_mpu), median(mark.cost)
    if len(mark.cost) == 1:
        return _circle(panel, x, y, radius=5.0, class_=f"dot {mark.class_}")
    ends = ((min(mark.x_mpu), max(mark.x_mpu)), (min(mark.cost), max(mark.cost)))
    return Markup("").join(
        [
            *(
                _circle(panel, a, b, radius=2.6, class_=f"dot {mark.class_}")
                for a, b in zip(mark.x_mpu, mark.cost, strict=True)
            ),
            panel.line(ends[0], [y, y], class_=f"thin {mark.class_}"),
            panel.line([x, x], ends[1], class_=f"thin {mark.class_}"),
            _circle(panel, x, y, radius=5.0, class_=f"dot {mark.class_}"),
        ]
    )


def _circle(panel: Panel, x: float, y: float, *, radius: float, class_: str) -> Markup:
    return el("circle", cx=float(panel.px(x)), cy=float(panel.py(y)), r=radius, class_=class_)


def _labels(panel: Panel, marks: Sequence[Mark]) -> list[Markup]:
    """Return names right of their marks, or left at the edge; lower where two would overlap."""
    placed: list[tuple[float, float, float]] = []
    drawn = []
    for mark in sorted(marks, key=lambda mark: -median(mark.cost)):
        width = CHARACTER * len(_label(mark))
        x = float(panel.px(max(mark.x_mpu))) + GAP
        if x + width > panel.left + panel.width:
            x = float(panel.px(min(mark.x_mpu))) - GAP - width
        y = at = float(panel.py(median(mark.cost))) + 4.0
        while any(
            abs(y - there) < LINE and x < end and start < x + width for start, end, there in placed
        ):
            y += LINE
        placed.append((x, x + width, y))
        if y - at > 1.0:  # a stroke says whose name it is
            start = float(panel.px(median(mark.x_mpu)))
            drawn.append(path(f"M{start:.1f} {at - 4:.1f}L{x:.1f} {y - 4:.1f}", class_="thin ink"))
        left = x < float(panel.px(median(mark.x_mpu)))
        drawn.append(
            label_at(
                _label(mark),
                x=x + width if left else x,
                y=y,
                anchor="end" if left else "start",
                class_="halo",
            )
        )
    return drawn


def _label(mark: Mark) -> str:
    return mark.name if len(mark.cost) == 1 else f"{mark.name}, {len(mark.cost)} seeds"


def _in_words(mark: Mark) -> str:
    return f"{_label(mark)}: cost {median(mark.cost):,.0f}, outside {median(mark.x_mpu):.3f} mpu."
