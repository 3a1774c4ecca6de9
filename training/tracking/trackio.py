"""Trackio (the extra ``trackio``): on this machine, in its own folder (TRACKIO_DIR), or where
TRACKIO_SPACE_ID says. Look at it with: trackio show"""

import json
import secrets

from sparring.agents.files import write_aside
from sparring.training.core import Metrics
from sparring.training.tracking.core import Session

PROJECT = "sparring"
STATE = "trackio.json"
"""The name under which trackio knows the run, and the last step that it was given."""


class Trackio:
    """Trackio cannot take a step back: one that it was given before a kill is not given again."""

    def __init__(self, session: Session):
        import trackio

        self._finish = trackio.finish  # which, unlike the run's own, is not done again at the exit
        self._file = session.folder / STATE
        known = not session.new and self._file.is_file()
        if known:
            state = json.loads(self._file.read_text())
        else:
            name = f"{session.folder.resolve().name}-{secrets.token_hex(2)}"
            state = {"run": name, "step": session.done}
        self._name, self._last = str(state["run"]), int(state["step"])
        self._run = trackio.init(
            project=PROJECT,
            name=self._name,
            group=session.recipe,
            config=dict(session.options),
            resume="allow" if known else "never",
            embed=False,
        )

    def log(self, metrics: Metrics) -> None:
        step = int(metrics["step"])
        if step <= self._last:
            return
        self._run.log({name: x for name, x in metrics.items() if name != "step"}, step=step)
        self._last = step
        write_aside(self._file, json.dumps({"run": self._name, "step": step}) + "\n")

    def close(self) -> None:
        self._finish()
