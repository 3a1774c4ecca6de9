"""The command line: `sparring COMMAND ...`, one module in ``commands`` for each."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from sparring.envs.core import BadInput

HELP = """\
sparring: language models learn by playing text games against themselves

  sparring train RECIPE             learn by self-play (recipes: kuhn)
  sparring evaluate AGENT AGENT...  who is stronger, by how much, how sure
  sparring tournament AGENT...      the same with games that are kept, and a report
  sparring report DIR...            a run or tournament as one page to look at; or several compared
  sparring forecast                 how fast will a cluster train, and who waits?
  sparring transfer RUN             does what was learned help in other games?
  sparring exploitability AGENT     exact distance from equilibrium
  sparring play GAME                play against an agent in this terminal
  sparring serve [RUN]              the same in the browser
  sparring games [GAME]             the games, or one as its players read it
  sparring check GAME               does a game keep the contract?
  sparring new-game NAME            write a new game that works, to make yours

AGENT is random, optimal, human, run:runs/kuhn (a trained run; @STEP for an earlier checkpoint),
hf:PATH-OR-ID or openai:MODEL[@URL] (a model on a server). Every command explains itself
with --help.
"""

COMMANDS = (
    "train",
    "evaluate",
    "tournament",
    "report",
    "forecast",
    "transfer",
    "exploitability",
    "play",
    "serve",
    "games",
    "check",
    "new-game",
)
"""Each is a module of its own in ``commands``, imported only where it is used: torch takes time."""


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 2 for bad input, 130 where Ctrl-C stopped it."""
    given = list(sys.argv[1:] if args is None else args)
    if not given or given[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0 if given else 2
    name, rest = given[0], given[1:]
    try:
        if name not in COMMANDS:
            raise BadInput(f"no command {name!r}; there are: {', '.join(COMMANDS)}")
        code = int(import_module(f"sparring.training.commands.{name.replace('-', '_')}").run(rest))
        sys.stdout.flush()  # here, where it can be caught
        return code
    except BadInput as fault:
        print(f"sparring: {fault}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # sparring ... | head: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor at the exit's flush
        return 1  # as rich does
    except (KeyboardInterrupt, EOFError):
        print("\nstopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
