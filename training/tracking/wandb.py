"""Weights & Biases (the extra ``wandb``). Keys are its own business: ``wandb login``, or
WANDB_API_KEY. WANDB_MODE=offline keeps all in RUN/wandb, for ``wandb sync`` later."""

import os
import secrets

from sparring.agents.files import write_aside
from sparring.envs.core import BadInput
from sparring.training.core import Metrics
from sparring.training.tracking.core import Session

PROJECT = "sparring"  # or what WANDB_PROJECT says
ID = "wandb-id"
"""The file with the name under which W&B knows the run, so that it goes on there."""


class WeightsAndBiases:
    """A step that was logged before a kill and is played again is sent again; W&B keeps the first.

    Raises:
        BadInput: W&B does not let us in, or cannot be reached.
    """

    def __init__(self, session: Session):
        import wandb

        file = session.folder / ID
        if session.new or not file.is_file():
            write_aside(file, secrets.token_hex(4))
        try:
            self._run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                id=file.read_text(),
                name=session.folder.resolve().name,
                group=session.recipe,
                config=dict(session.options),
                dir=session.folder,
                resume="allow",
                settings=wandb.Settings(console="off"),  # the console shows the run's own display
            )
        except (wandb.Error, TimeoutError) as fault:
            why = " ".join(str(fault).split()).rstrip(".")
            raise BadInput(
                f"Weights & Biases: {why}; use `wandb login`, or WANDB_MODE=offline to sync later"
            ) from fault

    def log(self, metrics: Metrics) -> None:
        values = {name: value for name, value in metrics.items() if name != "step"}
        self._run.log(values, step=int(metrics["step"]))

    def close(self) -> None:
        self._run.finish()
