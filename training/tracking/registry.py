"""The trackers by name. One of your own: ``TRACKERS["mine"] = Mine``, then ``--trackers mine``."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec

from sparring.envs.core import BadInput
from sparring.training.tracking.core import Factory, Session, Tracker
from sparring.training.tracking.tensorboard import TensorBoard
from sparring.training.tracking.trackio import Trackio
from sparring.training.tracking.wandb import WeightsAndBiases

TRACKERS: dict[str, Factory] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "trackio": Trackio,
}

INSTALL = {
    "tensorboard": "pip install tensorboard",
    "wandb": "pip install 'sparring[wandb]'",
    "trackio": "pip install 'sparring[trackio]'",
}
"""How to get the package of the same name."""


def check(names: Sequence[str]) -> None:
    """Before anything else is done for a run.

    Raises:
        BadInput: there is no such tracker, it is named twice, or its package is not installed.
    """
    for i, name in enumerate(names):
        if name not in TRACKERS:
            raise BadInput(f"no tracker {name!r}; there are: {', '.join(TRACKERS)}")
        if name in names[:i]:
            raise BadInput(f"--trackers names {name} twice")
        if name in INSTALL and find_spec(name) is None:
            raise BadInput(
                f"--trackers {name} needs the package {name}: {INSTALL[name]}; "
                "--trackers alone goes without"
            )


@contextmanager
def opened(names: Sequence[str], session: Session) -> Iterator[list[Tracker]]:
    """The trackers of these names, closed at the end."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(TRACKERS[name](session))) for name in names]
