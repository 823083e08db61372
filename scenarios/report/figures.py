"""The parts of a figure that all charts share: size, panel grid, legend entries, limit marks."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from scenarios.report.svg import Axis, Panel, el, label_at, number_axis, y_title
from scenarios.schema import LimitSettings

WIDTH = 1080.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 46.0, 30.0, 44.0
N_STYLES = 6  # line styles of controllers; more controllers repeat them
PHASE_NAMES = {"1": "phase A", "2": "phase B", "3": "phase C"}
LEG_NAMES = {"1": "leg AB", "2": "leg BC", "3": "leg CA"}


@dataclass(frozen=True, kw_only=True)
class LegendEntry:
    """A sample of a mark and what it stands for."""

    mark: str  # "line", "band", "dot", "whisker", "limit", "box" or "ring"
    class_: str  # colour class
    label: str

    @property
    def swatch(self) -> Markup:
        """The mark, drawn small."""
        shapes = {
            "line": el("path", d="M1 7H27", class_=f"line {self.class_}"),
            "band": el("rect", x=1, y=1, width=26, height=12, class_=f"band {self.class_}"),
            "dot": el("circle", cx=14, cy=7, r=3, class_=f"dot {self.class_}"),
            "whisker": el("path", d="M14 1V13", class_=f"whisker {self.class_}"),
            "limit": el("path", d="M1 7H27", class_="limit"),
            "box": el("rect", x=5, y=1, width=18, height=12, class_=self.class_),
            "ring": el("circle", cx=14, cy=7, r=5, class_=self.class_),
        }
        return el(
            "svg", shapes[self.mark], viewBox="0 0 28 14", width=28, height=14, aria_hidden="true"
        )


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart with its words."""

    title: str
    image: Markup
    legend: tuple[LegendEntry, ...] = ()
    caption: str = ""
    notes: tuple[str, ...] = field(default=())


def controller_class(position: int) -> str:
    """Return the colour and dash class of the controller at a position."""
    return f"c-{position % N_STYLES}"


def panel_grid(
    *, rows: int, columns: int, x: Axis, y: Axis, height: float, row_gap: float = 46.0
) -> tuple[list[list[Panel]], float]:
    """Return equal panels [row][column] with shared axes, and the height of the whole image."""
    gap = 22.0
    width = (WIDTH - LEFT - RIGHT - gap * (columns - 1)) / columns
    grid = [
        [
            Panel(
                left=LEFT + column * (width + gap),
                top=TOP + row * (height + row_gap),
                width=width,
                height=height,
                x=x,
                y=y,
            )
            for column in range(columns)
        ]
        for row in range(rows)
    ]
    return grid, TOP + rows * height + (rows - 1) * row_gap + BOTTOM


def voltage_axis(low: float, high: float, *, limits: LimitSettings) -> Axis:
    """Return a voltage axis that shows the data and both limits."""
    return number_axis(
        min(low, limits.v_min_pu) - 0.004, max(high, limits.v_max_pu) + 0.004, count=6
    )


def limit_marks(panel: Panel, *, limits: LimitSettings, labels: bool) -> Markup:
    """Return shaded areas outside the voltage limits, and the limits, named at the right edge."""
    drawn = [
        panel.area(y=(panel.y.low, limits.v_min_pu), class_="outside"),
        panel.area(y=(limits.v_max_pu, panel.y.high), class_="outside"),
    ]
    for limit in (limits.v_min_pu, limits.v_max_pu):
        drawn.append(panel.line([panel.x.low, panel.x.high], [limit, limit], class_="limit"))
        if labels:
            drawn.append(
                label_at(
                    f"{limit:g}",
                    x=panel.left + panel.width + 6,
                    y=float(panel.py(limit)) + 4,
                    class_="tick strong",
                )
            )
    return Markup("").join(drawn)


def axis_titles(grid: list[list[Panel]], *, x: str, y: str, height: float) -> Markup:
    """Return the axis titles of a grid of panels: y at every row, x once below."""
    first, last = grid[0][0], grid[-1][-1]
    middle_x = (first.left + last.left + last.width) / 2
    titles = [y_title(y, x=14, y=row[0].top + row[0].height / 2) for row in grid]
    below = label_at(x, x=middle_x, y=height - 5, anchor="middle")
    return Markup("").join([*titles, below])
