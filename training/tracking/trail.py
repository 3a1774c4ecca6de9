"""The recent values of one metric, and what they were like before."""

from collections import deque
from math import isfinite


class Trail:
    """``mean``: of the last ``window`` values. ``first`` and ``peak``: the first such mean, and the
    highest one so far. Values that are no numbers are passed over."""

    def __init__(self, window: int):
        self._recent: deque[float] = deque(maxlen=window)
        self.mean = self.first = self.peak = 0.0
        self.full = False
        """Whether there are as many values as the window holds; the means are of no use before."""

    def add(self, value: float) -> None:
        if not isfinite(value):
            return
        self._recent.append(value)
        self.mean = sum(self._recent) / len(self._recent)
        if len(self._recent) < (self._recent.maxlen or 0):
            return
        if not self.full:
            self.first = self.peak = self.mean
        self.full = True
        self.peak = max(self.peak, self.mean)
