"""Long curves with fewer points, so that a page stays small and no spike is lost."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, groupby

Point = tuple[float, float]

MOST = 240  # points of a curve; a chart is some 400 pixels wide


def thin(points: Sequence[Point], most: int = MOST) -> list[Point]:
    """At most ``most`` of ``points`` (step, value), which come in order of their steps.

    The steps are cut into stretches of equal length, and of each the lowest and the highest value
    are kept, besides the very first and the very last point. ``most`` is at least 4.
    """
    if len(points) <= most:
        return list(points)
    first, last = points[0], points[-1]
    bins = (most - 2) // 2
    width = (last[0] - first[0]) / bins or 1.0
    kept = {0, len(points) - 1}
    numbered = enumerate(points)
    for _, group in groupby(numbered, lambda p: min(int((p[1][0] - first[0]) / width), bins - 1)):
        stretch = list(group)
        kept.add(min(stretch, key=lambda p: p[1][1])[0])
        kept.add(max(stretch, key=lambda p: p[1][1])[0])
    return [points[i] for i in sorted(kept)]


CALM = 60  # points from which on a curve gets a running mean


def smoothing(series: Mapping[str, Sequence[Point]]) -> int:
    """The odd number of points, some 10 % of the longest curve, that a running mean spans; 0 where
    the curves are short enough to be looked at as they are."""
    longest = max(map(len, series.values()), default=0)
    return 0 if longest < CALM else longest // 20 * 2 + 1


def running_mean(points: Sequence[Point], window: int) -> list[Point]:
    """Each value replaced by the mean of the ``window`` points around it, fewer at the ends."""
    sums = [0.0, *accumulate(y for _, y in points)]
    found = []
    for i, (x, _) in enumerate(points):
        half = min(window // 2, i, len(points) - 1 - i)
        found.append((x, (sums[i + half + 1] - sums[i - half]) / (2 * half + 1)))
    return found
