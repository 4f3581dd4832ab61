"""Draws how many times faster remint is than its peers, as one SVG without anything from elsewhere."""

from html import escape
from math import log10

WIDTH, LEFT, RIGHT, ROW, TOP = 860, 300, 90, 26, 64
STYLE = """
text { font: 13px sans-serif; fill: #1f2328 } .title { font-size: 16px; font-weight: 600 } .quiet { fill: #656d76 }
.bar { fill: #2f81f7 } .short { fill: #d29922 } .grid { stroke: #8c959f; stroke-opacity: .35 } .goal { stroke: #1f2328; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .quiet { fill: #9198a1 } .goal { stroke: #e6edf3 } }
"""


def draw(bars):
    """Draws bars of (work, peer, ratio, goal): how many times faster, on a scale of powers of ten, and how many were promised."""
    height = TOP + ROW * len(bars) + 28
    decades = max(1, *(int(log10(max(1.0, ratio))) + 1 for _, _, ratio, _ in bars))
    scale = (WIDTH - LEFT - RIGHT) / decades
    at = lambda ratio: LEFT + scale * log10(max(1.0, ratio))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="How many times faster remint is">',
        f"<style>{STYLE}</style>",
        '<text class="title" x="8" y="24">How many times faster remint is than the fastest peer</text>',
        f'<text class="quiet" x="8" y="44">logarithmic; the stroke is the goal; medians of one run, see BENCHMARKS.md</text>',
    ]
    for decade in range(decades + 1):
        x = LEFT + scale * decade
        parts.append(f'<line class="grid" x1="{x:.0f}" x2="{x:.0f}" y1="{TOP - 6}" y2="{height - 24}"/>')
        parts.append(f'<text class="quiet" x="{x:.0f}" y="{height - 8}" text-anchor="middle">{10**decade}×</text>')
    for number, (work, peer, ratio, goal) in enumerate(bars):
        y = TOP + ROW * number
        kind = "bar" if ratio >= goal else "bar short"
        parts += [
            f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(work)}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{y + 2}" width="{max(1.0, at(ratio) - LEFT):.1f}" height="{ROW - 8}"/>',
            f'<line class="goal" x1="{at(goal):.1f}" x2="{at(goal):.1f}" y1="{y}" y2="{y + ROW - 4}"/>',
            f'<text x="{at(max(ratio, goal)) + 6:.1f}" y="{y + 15}">{ratio:.1f}× <tspan class="quiet">{escape(peer)}</tspan></text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"
