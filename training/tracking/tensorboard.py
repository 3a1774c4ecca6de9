"""TensorBoard: event files in RUN/tensorboard. Look at them with: tensorboard --logdir runs"""

from sparring.training.core import Metrics
from sparring.training.tracking.core import Session

FOLDER = "tensorboard"


class TensorBoard:
    """Each stretch of a run writes a file of its own, which tells TensorBoard to forget the steps
    that an earlier one logged and this one plays again."""

    def __init__(self, session: Session):
        from torch.utils.tensorboard import SummaryWriter  # loads protobuf, which takes time

        self._writer = SummaryWriter(str(session.folder / FOLDER), purge_step=session.done + 1)

    def log(self, metrics: Metrics) -> None:
        step = int(metrics["step"])
        for name, value in metrics.items():
            if name != "step":
                self._writer.add_scalar(name, value, step)
        self._writer.flush()  # it is in the file before a checkpoint of this step is

    def close(self) -> None:
        self._writer.close()
