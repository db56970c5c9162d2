"""Small pictures as SVG text: axes with units, lines, bands, points with intervals, labels that keep apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

__all__ = ["COLOURS", "Axes"]

# Okabe & Ito (2008), Color Universal Design: eight colours that colour-blind readers tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6b6b6b", "#a89f00")


class Axes:
    """
    A picture with two axes, in a box of `width` by `height` units.

    Parameters
    ----------
    x, y : ends of the axes
    x_label, y_label : with the unit
    log_x : whether the horizontal axis is logarithmic
    rows : names on the vertical axis, from the top, in place of numbers
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        x_label: str,
        y_label: str,
        *,
        width: int = 480,
        height: int = 320,
        log_x: bool = False,
        rows: Sequence[str] | None = None,
        left: int | None = None,
    ) -> None:
        self.x, self.y, self.log_x = x, y, log_x
        self.width, self.height = width, height
        longest = max(map(len, rows)) if rows else 0
        self.left = left if left is not None else (14 + round(6.6 * longest) if rows else 52)
        self.right, self.top, self.bottom = 12, 10, 46
        self.parts: list[str] = []
        self.boxes: list[tuple[float, float, float, float]] = []
        self._frame(x_label, y_label, rows)

    def across(self, value: float) -> float:
        low, high = self.x
        part = (
            (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
            if self.log_x
            else (value - low) / (high - low)
        )
        return self.left + part * (self.width - self.left - self.right)

    def up(self, value: float) -> float:
        low, high = self.y
        return self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)

    def line(self, x: Sequence[float], y: Sequence[float], colour: str, *, width: float = 1.6, dash: str = "") -> None:
        """A line, broken where a value is not finite, and where it runs outside of the axes."""
        runs: list[list[str]] = [[]]
        was_inside = True
        for a, b in zip(x, y, strict=True):
            is_inside = self.y[0] <= b <= self.y[1]
            is_finite = math.isfinite(a) and math.isfinite(b)
            if runs[-1] and not (is_finite and (is_inside or was_inside)):
                runs.append([])
            if is_finite:
                runs[-1].append(f"{self.across(a):.1f},{self.up(min(max(b, self.y[0]), self.y[1])):.1f}")
            was_inside = is_inside
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        for run in runs:
            if len(run) > 1:
                self.parts.append(
                    f'<polyline points="{" ".join(run)}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'
                )

    def band(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> None:
        forth = [f"{self.across(a):.1f},{self.up(min(b, self.y[1])):.1f}" for a, b in zip(x, high, strict=True)]
        back = [f"{self.across(a):.1f},{self.up(max(b, self.y[0])):.1f}" for a, b in zip(x, low, strict=True)]
        self.parts.append(f'<polygon points="{" ".join(forth + back[::-1])}" fill="{colour}" fill-opacity="0.15"/>')

    def region(self, begin: float, end: float, note: str) -> None:
        """A shaded stretch of the horizontal axis."""
        a, b = (self.across(min(max(value, self.x[0]), self.x[1])) for value in (begin, end))
        height = self.height - self.top - self.bottom
        self.parts.append(
            f'<rect x="{a:.1f}" y="{self.top}" width="{b - a:.1f}" height="{height}" class="shade">'
            f"<title>{escape(note)}</title></rect>"
        )

    def mark(self, value: float, note: str) -> None:
        """A dashed vertical line."""
        a = self.across(value)
        self.parts.append(
            f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{self.top}" y2="{self.height - self.bottom}" class="mark">'
            f"<title>{escape(note)}</title></line>"
        )

    def point(
        self,
        x: float,
        y: float,
        colour: str,
        note: str,
        *,
        x_range: tuple[float, float] | None = None,
        y_range: tuple[float, float] | None = None,
        radius: float = 3.2,
    ) -> None:
        """A point with its intervals, and a note that shows when it is pointed at."""
        a, b = self.across(x), self.up(y)
        strokes = ""
        if x_range:
            low, high = (self.across(min(max(value, self.x[0]), self.x[1])) for value in x_range)
            strokes += f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{b:.1f}" y2="{b:.1f}" stroke="{colour}"/>'
            self.boxes.append((low, b - 1, high, b + 1))
        if y_range:
            low, high = (self.up(min(max(value, self.y[0]), self.y[1])) for value in y_range)
            strokes += f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="{colour}"/>'
            self.boxes.append((a - 1, high, a + 1, low))
        self.boxes.append((a - radius, b - radius, a + radius, b + radius))
        self.parts.append(
            f'<g>{strokes}<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius}" fill="{colour}" fill-opacity="0.85"/>'
            f"<title>{escape(note)}</title></g>"
        )

    def label(self, x: float, y: float, text: str, colour: str = "currentColor") -> bool:
        """Text by a point, where there is room for it; whether there was."""
        a, b, long = self.across(x), self.up(y), 6.1 * len(text)
        for dx, dy in ((6, 4), (-6 - long, 4), (-long / 2, -7), (-long / 2, 15), (6, -5), (6, 13)):
            box = (a + dx, b + dy - 9, a + dx + long, b + dy + 2)
            inside = box[0] > self.left and box[2] < self.width and box[1] > 0 and box[3] < self.height - self.bottom
            clear = all(box[2] < o[0] or box[0] > o[2] or box[3] < o[1] or box[1] > o[3] for o in self.boxes)
            if inside and clear:
                self.boxes.append(box)
                self.parts.append(
                    f'<text x="{a + dx:.1f}" y="{b + dy:.1f}" class="small" fill="{colour}">{escape(text)}</text>'
                )
                return True
        return False

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Names and colours under the picture."""
        at, row = float(self.left), self.height + 4
        for name, colour in entries:
            long = 24 + 6.6 * len(name)
            if at + long > self.width:
                at, row = float(self.left), row + 17
            self.parts.append(
                f'<rect x="{at:.0f}" y="{row}" width="12" height="4" fill="{colour}"/>'
                f'<text x="{at + 16:.0f}" y="{row + 6}" class="small">{escape(name)}</text>'
            )
            at += long
        self.height_shown = row + 14

    height_shown = 0

    def text(self, title: str) -> str:
        """The whole picture."""
        height = max(self.height, self.height_shown)
        return (
            f'<svg viewBox="0 0 {self.width} {height}" role="img" xmlns="http://www.w3.org/2000/svg">'
            f"<title>{escape(title)}</title>{''.join(self.parts)}</svg>"
        )

    def _frame(self, x_label: str, y_label: str, rows: Sequence[str] | None) -> None:
        add = self.parts.append
        base, end = self.height - self.bottom, self.width - self.right
        for value in _decades(*self.x) if self.log_x else _ticks(*self.x, max(2, (end - self.left) // 60)):
            a = self.across(value)
            add(f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{self.top}" y2="{base}" class="grid"/>')
            add(f'<text x="{a:.1f}" y="{base + 15}" text-anchor="middle" class="small">{_number(value)}</text>')
        if rows:
            for i, name in enumerate(rows):
                b = self.up(len(rows) - 1 - i)
                add(f'<line x1="{self.left}" x2="{end}" y1="{b:.1f}" y2="{b:.1f}" class="grid"/>')
                add(f'<text x="{self.left - 6}" y="{b + 4:.1f}" text-anchor="end" class="small">{escape(name)}</text>')
        else:
            for value in _ticks(*self.y, max(2, (base - self.top) // 50)):
                b = self.up(value)
                add(f'<line x1="{self.left}" x2="{end}" y1="{b:.1f}" y2="{b:.1f}" class="grid"/>')
                add(
                    f'<text x="{self.left - 6}" y="{b + 4:.1f}" text-anchor="end" class="small">{_number(value)}</text>'
                )
            middle = (self.top + base) / 2
            add(
                f'<text transform="translate(12 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
            )
        add(f'<path d="M{self.left} {self.top}V{base}H{end}" class="axis"/>')
        centre = (self.left + end) / 2
        add(f'<text x="{centre:.0f}" y="{self.height - 8}" text-anchor="middle">{escape(x_label)}</text>')


def _ticks(low: float, high: float, about: int) -> list[float]:
    raw = (high - low) / about
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / 7))
    ticks = [10.0**k for k in range(first, last + 1, every)]
    if len(ticks) < 3:
        ticks = [m * 10.0**k for k in range(first - 1, last + 1) for m in (1, 2, 5) if low <= m * 10.0**k <= high]
    return ticks


def _number(value: float) -> str:
    if value and (abs(value) < 1e-2 or abs(value) >= 1e5):
        power = math.floor(math.log10(abs(value)) + 1e-9)
        digits = value / 10**power
        raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"10{raised}" if abs(digits - 1) < 1e-9 else f"{digits:g}·10{raised}"
    return f"{value:g}".replace("-", "−")
