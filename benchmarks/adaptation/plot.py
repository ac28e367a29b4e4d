"""Drawing a world: what is true as bands, and how long each policy waited between its calls, over time."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.adaptation.world import Watched, World

WIDTH, HEIGHT = 960, 480
LEFT, RIGHT, TOP, BOTTOM = 64, 180, 44, 52
_COLOURS = (
    "#0072b2", "#d55e00", "#999999", "#009e73", "#cc79a7", "#8f7a00", "#56b4e9", "#7b3fbf", "#b22222",
    "#4053d3", "#b5651d", "#ff6f91",
)  # fmt: skip
_BANDS = (0.0, 0.10, 0.20, 0.30)
_TICKS = (1, 3, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400)
_STYLE = """
svg{font:12px system-ui,sans-serif;background:#fff;color:#222}
text{fill:currentColor}.axis{stroke:currentColor;fill:none}.grid{stroke:currentColor;opacity:.12}
.band{fill:#808080}.target{fill:none;stroke:#e69f00;stroke-width:7;opacity:.45}
.line{fill:none;stroke-width:1.4}.first{stroke:currentColor;stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){svg{background:#16181c;color:#e6e6e6}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One policy's calls."""

    label: str
    times: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Scale:
    horizon: int
    least: float
    most: float

    def x(self, second: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * second / self.horizon

    def y(self, gap: float) -> float:
        part = math.log(gap / self.least) / math.log(self.most / self.least)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part


def plot(world: World, watched: Watched, lines: Sequence[Line]) -> str:
    """An SVG of *watched* in *world*: the first of *lines* dashed, the target as a broad line, other states shaded."""
    bounds = [float(watched.target.min()), float(watched.target.max()), float(watched.interval_min)]
    bounds += [gap for line in lines for _begins, _ends, gap in _gaps(line, watched.horizon)]
    scale = _Scale(watched.horizon, max(1.0, min(bounds) * 0.8), max(bounds) * 1.25)
    title = f"{world.name}, seed {world.seed}: seconds between calls of “{watched.name}”"
    return "".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        *_bands(watched, scale), *_axes(scale, title), *_target(watched, scale), *_drawn(lines, scale),
        *_legend(watched, lines), "</svg>\n",
    ))  # fmt: skip


def _bands(watched: Watched, scale: _Scale) -> Iterator[str]:
    starts = [0, *watched.transitions]
    for begins, ends in zip(starts, [*watched.transitions, watched.horizon], strict=True):
        shade = _BANDS[int(watched.label[begins]) % len(_BANDS)]
        if shade:
            x, width = scale.x(begins), scale.x(ends) - scale.x(begins)
            box = f'x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
            state = escape(watched.states[watched.label[begins]])
            yield f'<rect class="band" opacity="{shade}" {box}><title>{state}</title></rect>'


def _axes(scale: _Scale, title: str) -> Iterator[str]:
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    yield f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>'
    yield f'<path class="axis" d="M{LEFT} {TOP}V{floor}H{right}"/>'
    for gap in _TICKS:
        if scale.least <= gap <= scale.most:
            y = scale.y(gap)
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>'
            yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{gap}</text>'
    step = 3_600 if scale.horizon <= 21_600 else 14_400
    for second in range(0, scale.horizon + 1, step):
        yield f'<text x="{scale.x(second):.1f}" y="{floor + 18}" text-anchor="middle">{second // 3_600}</text>'
    yield f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">hours</text>'
    middle = (TOP + floor) / 2
    turned = f'transform="rotate(-90 16 {middle})" x="16" y="{middle}" text-anchor="middle"'
    yield f"<text {turned}>seconds between calls, log scale</text>"


def _target(watched: Watched, scale: _Scale) -> Iterator[str]:
    starts = [0, *watched.transitions]
    spans = zip(starts, [*watched.transitions, watched.horizon], strict=True)
    yield f'<path class="target" d="{_steps(((b, e, float(watched.target[b])) for b, e in spans), scale)}"/>'


def _drawn(lines: Sequence[Line], scale: _Scale) -> Iterator[str]:
    for number, line in enumerate(lines):
        path = _steps(_gaps(line, scale.horizon), scale)
        look = 'class="line first"' if number == 0 else f'class="line" stroke="{_colour(number)}"'
        yield f'<path {look} d="{path}"><title>{escape(line.label)}</title></path>'


def _legend(watched: Watched, lines: Sequence[Line]) -> Iterator[str]:
    x, y = WIDTH - RIGHT + 14, TOP + 6
    yield f'<path class="target" d="M{x} {y}h24"/><text x="{x + 32}" y="{y + 4}">asked for</text>'
    for number, line in enumerate(lines):
        y += 20
        look = 'class="line first"' if number == 0 else f'class="line" stroke="{_colour(number)}"'
        yield f'<path {look} d="M{x} {y}h24"/><text x="{x + 32}" y="{y + 4}">{escape(line.label)}</text>'
    for number, state in enumerate(watched.states):
        y += 20
        shade = _BANDS[number % len(_BANDS)]
        box = f'x="{x}" y="{y - 6}" width="24" height="12"'
        yield f'<rect class="band" opacity="{shade}" {box}/><rect class="axis" {box}/>'
        yield f'<text x="{x + 32}" y="{y + 4}">{escape(state)}</text>'


def _colour(number: int) -> str:
    return _COLOURS[(number - 1) % len(_COLOURS)]


def _gaps(line: Line, horizon: int) -> Iterator[tuple[int, int, float]]:
    """From, to and length of each gap between calls; equal ones in a row as one."""
    begins, length = 0, 0
    for before, t in zip((0, *line.times), line.times, strict=False):
        if t - before != length and length:
            yield begins, before, float(length)
            begins = before
        length = t - before
    if length:
        yield begins, min(line.times[-1], horizon), float(length)


def _steps(spans: Iterator[tuple[int, int, float]], scale: _Scale) -> str:
    """A path of horizontal pieces joined by vertical ones."""
    parts: list[str] = []
    for begins, ends, gap in spans:
        parts.append(f"{'V' if parts else f'M{scale.x(begins):.1f} '}{scale.y(gap):.1f}H{scale.x(ends):.1f}")
    return "".join(parts)
