"""A small SVG writer: elements that escape what they are given, and one plotting panel.

Charts are written by hand rather than by a plotting library so that colours are CSS variables
(light, dark, print), ids cannot clash when many charts share a page, points carry tooltips, and
every text that comes from a feeder file is escaped in one place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import ArrayLike, NDArray

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Replace characters that HTML forbids, and those that reverse the reading direction."""
    return _BIDI.sub("\ufffd", _CONTROL.sub("\ufffd", text))


def el(tag: str, *children: str, **attributes: str | float | None) -> Markup:
    """Return an element; texts and attribute values are escaped, `Markup` children are kept.

    Args:
        tag: Element name.
        children: Text or elements.
        attributes: `_` becomes `-`, a trailing one is dropped (`class_`); None leaves one out.
    """
    parts = [
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _value(value))
        for name, value in attributes.items()
        if value is not None
    ]
    inner = Markup("").join(
        child if isinstance(child, Markup) else text(child) for child in children
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), Markup("").join(parts), inner)


def text(value: str) -> Markup:
    """Return escaped text without forbidden characters."""
    return escape(clean(value))


def figure_svg(*children: str, width: float, height: float, alt: str) -> Markup:
    """Return an inline SVG image that scales with the page; `alt` is what screen readers say."""
    return el(
        "svg",
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=alt,
        class_="chart",
    )


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Range and ticks of one direction."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]  # value and label


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A plotting area inside an SVG: a box in pixels and two axes."""

    left: float
    top: float
    width: float
    height: float
    x: Axis
    y: Axis

    def px(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return horizontal pixels of data values."""
        share = (np.asarray(x, dtype=float) - self.x.low) / (self.x.high - self.x.low)
        return np.asarray(self.left + self.width * share)

    def py(self, y: ArrayLike) -> NDArray[np.float64]:
        """Return vertical pixels of data values; pixels count downwards."""
        share = (np.asarray(y, dtype=float) - self.y.low) / (self.y.high - self.y.low)
        return np.asarray(self.top + self.height * (1 - share))

    def frame(
        self, *, title: str = "", x_labels: bool = True, y_labels: bool = True, note: str = ""
    ) -> Markup:
        """Return grid lines, tick labels, a title above on the left and a note on the right."""
        right, bottom = self.left + self.width, self.top + self.height
        drawn: list[Markup] = []
        for value, label in self.y.ticks:
            y = float(self.py(value))
            drawn.append(el("line", x1=self.left, x2=right, y1=y, y2=y, class_="grid"))
            if y_labels:
                drawn.append(label_at(label, x=self.left - 7, y=y + 4, anchor="end"))
        for value, label in self.x.ticks:
            x = float(self.px(value))
            drawn.append(el("line", x1=x, x2=x, y1=self.top, y2=bottom, class_="grid"))
            if x_labels:
                # A label at an edge stays inside: the next panel may begin there.
                anchor = "start" if x < self.left + 1 else "end" if x > right - 1 else "middle"
                drawn.append(label_at(label, x=x, y=bottom + 17, anchor=anchor))
        drawn.append(el("line", x1=self.left, x2=right, y1=bottom, y2=bottom, class_="axis"))
        if title:
            drawn.append(label_at(title, x=self.left, y=self.top - 9, class_="title"))
        if note:
            drawn.append(label_at(note, x=right, y=self.top - 9, anchor="end", class_="note"))
        return Markup("").join(drawn)

    def line(self, x: ArrayLike, y: ArrayLike, *, class_: str) -> Markup:
        """Return a line, broken where a value is missing."""
        return path(_polyline(self.px(x), self.py(y)), class_=class_)

    def steps(self, x: NDArray[np.float64], y: NDArray[np.float64], *, class_: str) -> Markup:
        """Return a staircase: y[i] holds from x[i] to x[i + 1]; x has one value more than y."""
        return self.line(np.repeat(x, 2)[1:-1], np.repeat(y, 2), class_=class_)

    def band(
        self, x: ArrayLike, low: NDArray[np.float64], high: NDArray[np.float64], *, class_: str
    ) -> Markup:
        """Return the area between two lines, broken where a value is missing."""
        x_px, low_px, high_px = self.px(x), self.py(low), self.py(high)
        shapes = []
        for run in _runs(np.isfinite(low_px) & np.isfinite(high_px)):
            there = zip(x_px[run], high_px[run], strict=True)
            back = zip(x_px[run][::-1], low_px[run][::-1], strict=True)
            shapes.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in [*there, *back]) + "Z")
        return path("".join(shapes), class_=class_)

    def segments(
        self,
        x: tuple[NDArray[np.float64], NDArray[np.float64]],
        y: tuple[NDArray[np.float64], NDArray[np.float64]],
        *,
        class_: str,
    ) -> Markup:
        """Return separate lines from (x[0], y[0]) to (x[1], y[1]); missing ones are left out."""
        ends = np.stack([self.px(x[0]), self.py(y[0]), self.px(x[1]), self.py(y[1])], axis=-1)
        ends = ends[np.isfinite(ends).all(axis=-1)]
        return path(
            "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for a, b, c, d in ends), class_=class_
        )

    def dots(self, x: ArrayLike, y: ArrayLike, *, class_: str, tips: Sequence[str] = ()) -> Markup:
        """Return points; with `tips` each is a circle with a tooltip, without all are one shape."""
        x_px, y_px = np.atleast_1d(self.px(x)), np.atleast_1d(self.py(y))
        shown = [int(i) for i in np.flatnonzero(np.isfinite(x_px) & np.isfinite(y_px))]
        if not tips:
            return path(
                "".join(f"M{x_px[i]:.1f} {y_px[i]:.1f}h0" for i in shown), class_=f"{class_} points"
            )
        return Markup("").join(
            el("circle", el("title", tips[i]), cx=x_px[i], cy=y_px[i], r=2.4, class_=class_)
            for i in shown
        )

    def area(
        self,
        *,
        x: tuple[float, float] | None = None,
        y: tuple[float, float] | None = None,
        class_: str,
        opacity: float | None = None,
    ) -> Markup:
        """Return a rectangle over a range of one or both directions, cut to the panel."""
        x_low, x_high = x or (self.x.low, self.x.high)
        y_low, y_high = y or (self.y.low, self.y.high)
        x_px = self.px(np.clip([x_low, x_high], self.x.low, self.x.high))
        y_px = self.py(np.clip([y_low, y_high], self.y.low, self.y.high))
        return el(
            "rect", x=x_px[0], y=y_px[1], width=x_px[1] - x_px[0], height=y_px[0] - y_px[1],
            class_=class_, fill_opacity=opacity,
        )  # fmt: skip


def label_at(
    value: str, *, x: float, y: float, anchor: str = "start", class_: str = "tick"
) -> Markup:
    """Return a text in the image."""
    return el("text", value, x=x, y=y, text_anchor=anchor, class_=class_)


def y_title(value: str, *, x: float, y: float) -> Markup:
    """Return a vertical axis title, centred on (x, y)."""
    return el(
        "text", value, x=x, y=y, transform=f"rotate(-90 {x:.1f} {y:.1f})",
        text_anchor="middle", class_="tick",
    )  # fmt: skip


def path(shape: str, *, class_: str) -> Markup:
    """Return a path, or nothing for an empty shape."""
    return el("path", d=shape, class_=class_) if shape else Markup("")


def nice_ticks(low: float, high: float, *, count: int = 5) -> list[float]:
    """Return round values in [low, high], about `count` of them."""
    span = high - low
    if not span > 0:
        return [low]
    raw = span / max(count, 1)
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(s * magnitude for s in (1, 2, 2.5, 5, 10) if s * magnitude >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def number_axis(low: float, high: float, *, count: int = 5, pad: float = 0.0) -> Axis:
    """Return an axis over [low, high] with round ticks; an empty range is widened."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    room = pad * (high - low)
    low, high = low - room, high + room
    ticks = nice_ticks(low, high, count=count)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1  # steps of 2.5
    labels = (f"{value + 0.0:,.{decimals}f}".replace("-", "\u2212") for value in ticks)
    return Axis(low=low, high=high, ticks=tuple(zip(ticks, labels, strict=True)))


def _value(value: str | float) -> str:
    """Return an attribute value; numbers with two decimals are a fiftieth of a millimetre."""
    if isinstance(value, str):
        return clean(value)
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def _runs(valid: NDArray[np.bool_]) -> Iterable[slice]:
    """Yield the stretches of consecutive valid values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], valid, [False]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        yield slice(int(start), int(stop))


def _polyline(x_px: NDArray[np.float64], y_px: NDArray[np.float64]) -> str:
    """Return the path of a line broken at missing values."""
    return "".join(
        "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x_px[run], y_px[run], strict=True))
        for run in _runs(np.isfinite(x_px) & np.isfinite(y_px))
    )
