"""sparring check GAME: does a game keep the contract?"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from sparring.envs.contract import CHECKS, examine
from sparring.envs.registry import game
from sparring.training.commands.common import out, parse


@dataclass(frozen=True)
class Check:
    """Run the whole contract on a game, of this package or any other.

    Each promise that is broken is shown with the seed and the moves that replay it. The exit code
    is 1 if any is.
    """

    game: Positional[str]
    """A registered game or a file of yours: MyGame-v0, 'MyGame-v0(hands=3)', my_game.py:MyGame."""


def run(args: Sequence[str]) -> int:
    """Parse, examine, print each finding as it comes."""
    options = parse(Check, "check", args)
    rules = game(options.game)
    broken, began = 0, time.monotonic()
    width = max(map(len, CHECKS))
    for finding in examine(rules):
        broken += not finding.kept
        mark = "[green]kept[/]  " if finding.kept else "[red]BROKEN[/]"
        out.print(f"{mark}  {finding.promise:{width}}  ", end="")
        out.print(finding.text, markup=False)
    verdict = f"{broken} of {len(CHECKS)} promises broken" if broken else "keeps the contract"
    out.print(f"{rules.name}: {verdict} ({time.monotonic() - began:.1f} s)")
    return 1 if broken else 0
