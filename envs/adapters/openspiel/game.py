"""One game of OpenSpiel as ours."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sparring.envs.adapters.openspiel import library
from sparring.envs.adapters.openspiel.deals import Deal, deals
from sparring.envs.adapters.openspiel.facts import Facts, facts
from sparring.envs.adapters.openspiel.state import Luck, OpenSpielState, Record, until_asked
from sparring.envs.adapters.openspiel.text import number
from sparring.envs.core import Declaration, Role
from sparring.envs.messages import rules_first


@cache
def _deals(name: str, options: library.Options) -> list[tuple[float, Deal]] | None:
    return None if facts(name, options).sampled else deals(library.raw(name, options))


@dataclass(frozen=True)
class OpenSpielGame:
    """A game of OpenSpiel; ``options`` are its parameters that differ from their defaults."""

    short_name: str
    options: library.Options = ()

    @property
    def facts(self) -> Facts:
        return facts(self.short_name, self.options)

    @property
    def name(self) -> str:
        given = ", ".join(f"{option}={value!r}" for option, value in self.options)
        return f"openspiel:{self.short_name}" + (f"({given})" if given else "")

    @property
    def roles(self) -> tuple[Role, ...]:
        return self.facts.roles

    @property
    def declares(self) -> Declaration:
        return self.facts.declares

    def rules(self, role: Role) -> str:
        known = self.facts
        seat = known.roles.index(role)
        told = known.renderer.say(known.parameters, seat) or _generic(known)
        return f"{known.long_name}. You are {role}. {told} Reply with exactly one legal answer."

    def start(self, seed: int) -> OpenSpielState:
        """The game of this seed; where the deals can be listed, one of ``openings()``."""
        listed = _deals(self.short_name, self.options)
        if listed is None:
            return self._open(Luck(seed))
        chances, each_deal = zip(*listed, strict=True)
        (deal,) = random.Random(f"{seed}:deal").choices(each_deal, chances)
        return self._open(Luck(deal=deal))

    @property
    def openings(self) -> Callable[[], list[tuple[float, OpenSpielState]]]:
        """Every deal of chance with its probability.

        A property, so that ``hasattr`` says no where chance depends on play or is too much to list.

        Raises:
            AttributeError: the deals cannot be listed.
        """
        listed = _deals(self.short_name, self.options)
        if listed is None:
            raise AttributeError(f"{self.name} has too many deals to list, or they depend on play")
        return lambda: [(chance, self._open(Luck(deal=deal))) for chance, deal in listed]

    def _open(self, luck: Luck) -> OpenSpielState:
        record = Record(self, luck, rules_first(self), ("",) * len(self.roles))
        return until_asked(record, record.replay())


def _generic(known: Facts) -> str:
    """The rules of a game without a renderer: what OpenSpiel says of it."""
    said, players = known.declares, len(known.roles)
    sees = "You see only your own part of it." if said.hidden_information else "Nothing is hidden."
    return (
        f"A game of OpenSpiel for {players} player{'s' * (players > 1)}, payoffs {said.sum}, from "
        f"{number(said.low)} to {number(said.high)}. {sees} After every change you are shown what "
        "you see, in the library's own notation; your aim is the highest payoff."
    )
