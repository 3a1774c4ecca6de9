"""Lines come in order, and each when it is whole."""

from concurrent.futures import Future

import pytest

from sparring.training.core import Metrics
from sparring.training.execution import InOrder, known


def test_a_line_waits_for_its_measurement_and_for_those_before() -> None:
    said: list[Metrics] = []
    lines, late = InOrder(said.append, lambda: float(len(said))), Future[Metrics]()
    lines.add({"step": 1}, known({"nash_conv": 1.0}))
    lines.add({"step": 2}, late)
    lines.add({"step": 3}, known({}))
    assert said == [{"step": 1, "nash_conv": 1.0, "seconds": 0}]
    late.set_result({"nash_conv": 2.0})
    lines.wait()
    assert said[1:] == [{"step": 2, "nash_conv": 2.0, "seconds": 1}, {"step": 3, "seconds": 1}]


def test_a_measurement_that_fails_is_not_lost() -> None:
    lines, late = InOrder(lambda metrics: None, float), Future[Metrics]()
    lines.add({"step": 1}, late)
    late.set_exception(ArithmeticError("no"))
    with pytest.raises(ArithmeticError, match="no"):
        lines.wait()
