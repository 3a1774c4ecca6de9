"""What a page may choose from: games, and the agents that play them.

A page names things by text, and that text comes from whoever reaches the port. So it chooses from
what was offered when the server was started, and can neither name a file nor a model of its own.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.agents.optimal import SOLUTIONS, optimal
from sparring.agents.registry import agent, pinned
from sparring.agents.runs import checkpoints, find_checkpoint
from sparring.envs.core import BadInput, Game, Role
from sparring.envs.pages import information, payoffs
from sparring.envs.registry import game, games, options_of
from sparring.envs.specs import parse
from sparring.training.config import CONFIG, games_of

SPEC_LENGTH = 300
WORD = re.compile(r"[\w -]{0,40}")
"""A text that a page may give as an option; a path does not look like this."""


@dataclass(frozen=True, slots=True)
class Lineup:
    """A run's checkpoints, the agents and games named on the command line, and what is built in."""

    run: Path | None = None
    named: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises ``BadInput`` for a run, an agent or a game that is not there."""
        if self.run is not None and not (self.run / "replays.jsonl").is_file():
            find_checkpoint(self.run)
        for name in self.named:
            if name.partition(":")[0] == "human":
                raise BadInput("human sits at the page already; --agent is for the other seats")
            if name.startswith("run:"):
                pinned(name)
            elif name.startswith("optimal"):
                _variant(name)
            elif not name.startswith("hf:"):  # which is looked for when it is first chosen
                agent(name, "")
        for spec in self.specs:
            game(spec)

    def agents(self, rules: Game) -> list[str]:
        """The agents for the seats of a game, the likeliest choice first."""
        steps = sorted(checkpoints(self.run), reverse=True) if self.run is not None else []
        found = [*map(pinned, self.named), *(f"run:{self.run}@{step}" for step in steps), "optimal"]
        known = [name for name in found if not name.startswith("optimal") or _solves(name, rules)]
        return list(dict.fromkeys([*known, "random"]))

    def first(self) -> str:
        """The game that a page offers first."""
        return next(iter(self.specs), None) or next(iter(self._trained_on()), "KuhnPoker-v0")

    def games(self) -> list[dict[str, Any]]:
        """All games on offer, each with what the page says of it."""
        listed = []
        for spec in dict.fromkeys([*self.specs, *self._trained_on(), *games()]):
            try:
                listed.append(_about(spec))
            except Exception:  # a package that is broken does not hide the others
                continue
        return listed

    def _trained_on(self) -> tuple[str, ...]:
        """The games of the run, as its options say; none if they cannot be read."""
        if self.run is None:
            return ()
        try:
            return games_of(json.loads((self.run / CONFIG).read_text())["options"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return ()

    def game(self, spec: str) -> Game:
        """The game that a page asked for.

        Raises:
            BadInput: it is not on offer, or cannot be made with these options.
        """
        if spec in self.specs or spec in self._trained_on():
            return game(spec)
        if len(spec) > SPEC_LENGTH:
            raise BadInput(f"a game and its options have at most {SPEC_LENGTH} letters here")
        name, options = parse(spec)
        if ":" in name:
            raise BadInput(
                "games of files and other suites are offered with: sparring serve --game"
            )
        for option, value in options.items():
            if not _harmless(value):
                raise BadInput(
                    f"{option} cannot be given here; offer the game with: sparring serve --game"
                )
        return game(spec)

    def seats(
        self, rules: Game, person: Role | None, chosen: Mapping[Role, str]
    ) -> dict[Role, str]:
        """The agents in the seats of a game, all but the person's, by names that do not move.

        Raises:
            BadInput: there is no such seat, an agent is missing, or one is not on offer.
        """
        known = ", ".join(rules.roles)
        for role in (*chosen, *([person] if person is not None else [])):
            if role not in rules.roles:
                raise BadInput(f"{rules.name} has no seat {role!r}; its seats: {known}")
        offered = self.agents(rules)
        found = {}
        for role in rules.roles:
            if role == person:
                continue
            if role not in chosen:
                raise BadInput(f"{role} has no agent; agents are: {', '.join(offered)}")
            if chosen[role] not in offered:
                raise BadInput(
                    f"no agent {chosen[role]!r} for {rules.name} here; agents are: "
                    f"{', '.join(offered)}"
                )
            found[role] = chosen[role]
        return found


def _about(spec: str) -> dict[str, Any]:
    rules = game(spec)
    doc = next(iter((type(rules).__doc__ or "").strip().splitlines()), "")
    said = rules.declares
    return {
        "spec": spec,
        "about": doc,
        "facts": f"{payoffs(said)} · {information(said)} information · "
        + ("free speech" if said.free_speech else "listed answers"),
        "roles": list(rules.roles),
        "options": {name: [repr(value), text] for name, (value, text) in options_of(spec).items()},
    }


def _harmless(value: Any) -> bool:
    """Whether an option's value is a number, a word or a list of them, and no file's name."""
    if isinstance(value, str):
        return bool(WORD.fullmatch(value)) and not Path(value).exists()
    if isinstance(value, list | tuple | set):
        return all(map(_harmless, value))
    if isinstance(value, Mapping):
        return all(_harmless(key) and _harmless(one) for key, one in value.items())
    return value is None or isinstance(value, bool | int | float)


def _solves(name: str, rules: Game) -> bool:
    """Whether this ``optimal`` can play this game with these options."""
    try:
        state = rules.start(0)
        optimal(rules.name, name.partition(":")[2]).choose(state.observe(state.to_act[0]))
    except BadInput:
        return False
    return True


def _variant(name: str) -> None:
    """Raises ``BadInput`` where ``optimal:NAME`` is perfect play of no game at all."""
    faults = []
    for solved in SOLUTIONS:
        try:
            agent(name, solved)
        except BadInput as fault:
            faults.append(fault)
    if len(faults) == len(SOLUTIONS):
        raise faults[0]
