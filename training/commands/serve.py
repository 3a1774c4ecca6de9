"""sparring serve [RUN]: a page in the browser to play, watch and look back."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, UseAppendAction

from sparring.envs.core import BadInput
from sparring.training.commands.common import out, parse
from sparring.training.serve.hall import Hall
from sparring.training.serve.lineup import Lineup
from sparring.training.serve.server import is_loopback, listen, server
from sparring.training.serve.shelf import Shelf


@dataclass(frozen=True)
class Serve:
    """Open a page in the browser: play against agents, watch them play, look at replays.

    Games of the page are kept in RUN/played; without RUN they go when the server stops.
    """

    run: Positional[Path | None] = None
    """A run: its checkpoints play and its replays are shown. Without one, only --agent."""
    agent: UseAppendAction[tuple[str, ...]] = ()
    """One more agent: optimal:0.2, run:DIR[@STEP], hf:PATH, openai:MODEL[@URL]. May be given
    several times."""
    game: UseAppendAction[tuple[str, ...]] = ()
    """One more game, as my_game.py:MyGame or openspiel:NAME. May be given several times."""
    host: str = "127.0.0.1"
    """The address to listen on. The usual one is reached from this machine only."""
    port: Annotated[int, tyro.conf.arg(metavar="0..65535")] = 8000
    """The port; 0 takes a free one."""


def run(args: Sequence[str]) -> int:
    """Parse, check, listen, and serve until Ctrl-C."""
    options = parse(Serve, "serve", args)
    lineup = Lineup(options.run, options.agent, options.game)
    lineup.check()
    with ExitStack() as until_the_end:
        listening = until_the_end.enter_context(listen(options.host, options.port))
        played = _played(options.run)
        if played is None:
            played = Path(until_the_end.enter_context(tempfile.TemporaryDirectory()))
        hall = Hall(lineup, Shelf(options.run, played))
        if not is_loopback(options.host):
            out.print(
                "Warning: everybody who reaches this address can play and see all finished games."
            )
        port = listening.getsockname()[1]
        shown = f"[{options.host}]" if ":" in options.host else options.host
        out.print(f"Open http://{shown}:{port}   (Ctrl-C stops)", markup=False)
        server(hall, options.host).serve_on(listening)
    return 0


def _played(run: Path | None) -> Path | None:
    """Where games of this page are kept, if there is a run to keep them in."""
    if run is None:
        return None
    try:
        (run / "played" / "unfinished").mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise BadInput(f"cannot write {run / 'played'}: {fault.strerror}") from fault
    return run / "played"
