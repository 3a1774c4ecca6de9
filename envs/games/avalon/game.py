"""Avalon: a good team goes on quests, a hidden evil team among it makes them fail.

Five quests. For each a leader proposes a team, all vote in public, and an approved team plays its
cards in secret: good players succeed, evil ones may fail. Three successes are not enough for good:
then the assassin names Merlin, who knew evil from the start.

With g good and e evil players: if good wins, each good player gets 1 and each evil one −g/e; if
evil wins, the opposite.
"""

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, islice
from math import comb
from typing import Annotated, Literal

from sparring.envs.answers import choose, each
from sparring.envs.core import (
    BadInput,
    Declaration,
    IllegalAction,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    seats,
    visible,
)
from sparring.envs.games.avalon import parts as cast
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import flag, whole

SEATS = seats(10)
EXTRAS = ("percival", "morgana", "mordred", "oberon")
REJECTIONS = 5  # so many rejected teams in a row and evil wins
TO_WIN = 3  # quests
LISTED = 60  # proposals are listed where there are at most so many
VOTES = ("approve", "reject")
CARDS = ("success", "fail")
TALK = (
    "I trust this team.",
    "I do not trust this team.",
    "I am good.",
    "Why these players?",
)

_TEAM = re.compile(r"player_\d+(?:(?:\s*,\s*|\s+)(?:and\s+)?player_\d+)*", re.IGNORECASE)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")

Phase = Literal["propose", "talk", "vote", "quest", "assassinate", "over"]


@dataclass(frozen=True, slots=True)
class AvalonState:
    game: "Avalon"
    dealt: tuple[str, ...]  # the part of each seat
    leader: int
    log: View
    phase: Phase = "propose"
    won: tuple[bool, ...] = ()  # of each quest so far, whether it succeeded
    rejected: int = 0  # teams in a row
    team: tuple[int, ...] = ()  # proposed
    said: int = 0  # speeches about this team
    winner: str = ""  # "good" or "evil"

    @property
    def parts(self) -> Mapping[Role, str]:
        return dict(zip(self.game.roles, self.dealt, strict=True))

    @property
    def teams(self) -> Mapping[Role, str]:
        return {role: cast.side(part) for role, part in self.parts.items()}

    @property
    def to_act(self) -> tuple[Role, ...]:
        roles = self.game.roles
        match self.phase:
            case "propose":
                return (roles[self.leader],)
            case "talk":
                return (roles[(self.leader + self.said) % len(roles)],)
            case "vote":
                return roles
            case "quest":
                return tuple(roles[seat] for seat in self.team)
            case "assassinate":
                return (roles[self.dealt.index("assassin")],)
            case "over":
                return ()

    @property
    def payoffs(self) -> Payoffs:
        return self.game.pays(self.dealt, self.winner)

    @property
    def outcome(self) -> Mapping[str, float]:
        """``quests``: those that were played; ``succeeded``: of them; ``merlin_found``: where three
        did, whether the assassin named Merlin; ``rejected``: evil won by rejected teams."""
        if self.phase != "over":
            return {}
        good, succeeded = self.winner == "good", self.won.count(True)
        return {
            "good_won": float(good),
            **({"merlin_found": float(not good)} if succeeded == TO_WIN else {}),
            "quests": float(len(self.won)),
            "succeeded": float(succeeded),
            "rejected": float(self.rejected == REJECTIONS),
        }

    def forfeited(self, roles: Collection[Role]) -> Payoffs:
        """The team of who forfeits loses; if both teams have one who does, nobody wins."""
        losers = {cast.side(part) for role, part in self.parts.items() if role in roles}
        winner = {"good": "evil", "evil": "good"}[losers.pop()] if len(losers) == 1 else ""
        return self.game.pays(self.dealt, winner)

    def observe(self, role: Role) -> Observation:
        messages = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, messages)
        legal = self._legal(role)
        if legal is None:
            some = TALK if self.phase == "talk" else self.game.some_teams(self._size)
            return Observation(role, messages, None, some)
        return Observation(role, messages, legal)

    def _legal(self, role: Role) -> tuple[str, ...] | None:
        match self.phase:
            case "propose":
                return self.game.teams(self._size)
            case "vote":
                return VOTES
            case "quest":
                return CARDS if cast.side(self.parts[role]) == "evil" else CARDS[:1]
            case "assassinate":
                own = self.game.roles.index(role)
                out = {own, *cast.knows(self.dealt, own)}
                return tuple(r for seat, r in enumerate(self.game.roles) if seat not in out)
            case _:
                return None

    @property
    def _size(self) -> int:
        """How many go on the quest at hand."""
        return cast.QUESTS[self.game.players][len(self.won)]

    def step(self, answers: Mapping[Role, str]) -> "AvalonState":
        match self.phase:
            case "propose":
                return self._proposed(answers)
            case "talk":
                return self._talked(answers)
            case "vote":
                return self._voted(answers)
            case "quest":
                return self._played(answers)
            case _:
                return self._assassinated(answers)

    def _tell(self, *texts: str) -> "AvalonState":
        return replace(self, log=(*self.log, *map(public, texts)))

    def _proposed(self, answers: Mapping[Role, str]) -> "AvalonState":
        (role,) = self.to_act
        team = read_team(answers[role], role, self.game.roles, self._size)
        after = replace(self, team=team, said=0, phase="talk" if self.game.talk else "vote")
        return after._tell(f"{role} proposes {_names(self.game, team)}.")

    def _talked(self, answers: Mapping[Role, str]) -> "AvalonState":
        (role,) = self.to_act
        if not answers[role].strip():
            raise IllegalAction(role, "That reply is empty. Say something about the team.")
        said = self.said + 1
        done = said == self.game.talk * self.game.players
        log = (*self.log, speech(role, answers[role]))
        return replace(self, said=said, log=log, phase="vote" if done else "talk")

    def _voted(self, answers: Mapping[Role, str]) -> "AvalonState":
        votes = each(self.game.roles, lambda role: choose(answers, role, VOTES))
        shown = ", ".join(f"{role} {vote}" for role, vote in votes.items())
        ayes, n = list(votes.values()).count("approve"), self.game.players
        if 2 * ayes > n:
            told = self._tell(f"Votes: {shown}. The team goes on the quest.")
            return replace(told, phase="quest", rejected=0)
        told = replace(self, rejected=self.rejected + 1)._tell(
            f"Votes: {shown}. The team is rejected ({self.rejected + 1} of {REJECTIONS} in a row)."
        )
        if told.rejected == REJECTIONS:
            return told._ended("evil", f"{REJECTIONS} teams in a row are rejected.")
        return told._next_leader()

    def _next_leader(self) -> "AvalonState":
        leader = (self.leader + 1) % self.game.players
        return replace(self, leader=leader, phase="propose", team=())._headed()

    def _headed(self) -> "AvalonState":
        """Say which quest it is and who leads."""
        quest, fails = len(self.won) + 1, cast.fails(self.game.players, len(self.won))
        cards = "" if fails == 1 else f" It takes {fails} fails to make it fail."
        role = self.game.roles[self.leader]
        return self._tell(f"Quest {quest}: {role} proposes a team of {self._size}.{cards}")

    def _played(self, answers: Mapping[Role, str]) -> "AvalonState":
        cards = each(self.to_act, lambda r: choose(answers, r, self._legal(r) or ()))
        failed = list(cards.values()).count("fail")
        won = failed < cast.fails(self.game.players, len(self.won))
        told = tuple(private(f"You play {card}.", role) for role, card in cards.items())
        after = replace(self, won=(*self.won, won), log=(*self.log, *told))
        good, evil = after.won.count(True), after.won.count(False)
        after = after._tell(
            f"Cards: {len(cards) - failed} success, {failed} fail. Quest {len(after.won)} "
            f"{'succeeds' if won else 'fails'}. Quests so far: {good} succeeded, {evil} failed."
        )
        if evil == TO_WIN:
            return after._ended("evil", f"{TO_WIN} quests failed.")
        if good == TO_WIN:
            asked = after._tell(f"{TO_WIN} quests succeeded. The assassin now names Merlin.")
            return replace(asked, phase="assassinate", team=())
        return after._next_leader()

    def _assassinated(self, answers: Mapping[Role, str]) -> "AvalonState":
        (role,) = self.to_act
        named = choose(answers, role, self._legal(role) or ())
        winner = "evil" if self.parts[named] == "merlin" else "good"
        return self._ended(winner, f"The assassin names {named}.")

    def _ended(self, winner: str, why: str) -> "AvalonState":
        parts = ", ".join(f"{role} {part}" for role, part in self.parts.items())
        over = replace(self, winner=winner, phase="over", team=())
        return over._tell(f"{why} {winner.capitalize()} wins. Parts: {parts}.")


def _names(game: "Avalon", team: Sequence[int]) -> str:
    return " ".join(game.roles[seat] for seat in team)


def read_team(text: str, role: Role, roles: Sequence[Role], size: int) -> tuple[int, ...]:
    """The seats that an answer names: so many different players, in any order.

    Names stand with blanks, commas or "and" between them, as the whole reply or in [brackets].

    Raises:
        IllegalAction: no such reading, or two that differ.
    """
    whole_reply = _TEAM.fullmatch(text.strip())
    groups = [text] if whole_reply else _BRACKETS.findall(text)
    named = [re.findall(r"player_\d+", g.lower()) for g in groups if _TEAM.fullmatch(g.strip())]
    fit = [n for n in named if len(set(n)) == len(n) == size and set(n) <= set(roles)]
    found = {tuple(sorted(map(roles.index, names))) for names in fit}
    if len(found) != 1 or len(fit) != len(named):
        example = " ".join(roles[:size])
        fault = f"That reply does not name one team of {size} different players."
        raise IllegalAction(role, f"{fault} Reply with their names only, such as: {example}.")
    return found.pop()


@dataclass(frozen=True)
class Avalon:
    """Avalon: hidden teams, public votes and secret quests."""

    players: Annotated[int, "5 to 10 players"] = 5
    talk: Annotated[int, "so many times each player speaks about a proposed team"] = 0
    percival: Annotated[bool, "a good player who sees merlin (and morgana, alike)"] = False
    morgana: Annotated[bool, "an evil player whom percival sees as merlin"] = False
    mordred: Annotated[bool, "an evil player whom merlin does not see"] = False
    oberon: Annotated[bool, "an evil player apart: neither sees nor is seen by evil"] = False

    name = "Avalon-v0"

    def __post_init__(self) -> None:
        whole("players", self.players, min(cast.QUESTS), max(cast.QUESTS))
        whole("talk", self.talk, 0)
        for option in EXTRAS:
            flag(option, getattr(self, option))
        if self.morgana + self.mordred + self.oberon > (most := cast.EVIL[self.players] - 1):
            raise BadInput(
                f"with {self.players} players there are {most + 1} evil, the assassin and at most "
                f"{most} of morgana, mordred and oberon"
            )

    @property
    def roles(self) -> tuple[Role, ...]:
        return SEATS[: self.players]

    @property
    def deck(self) -> tuple[str, ...]:
        """The parts that are dealt."""
        return cast.deck(self.players, [extra for extra in EXTRAS if getattr(self, extra)])

    @property
    def declares(self) -> Declaration:
        evil, sizes = cast.EVIL[self.players], cast.QUESTS[self.players]
        share = (self.players - evil) / evil
        proposal = 1 + self.players * (self.talk + 1)
        return Declaration(
            sum=Sum.ZERO,
            hidden_information=True,
            max_turns=len(sizes) * REJECTIONS * proposal + sum(sizes) + 1,
            low=-share,
            high=share,
            free_speech=self.talk > 0 or not self._listed,
        )

    def pays(self, dealt: Sequence[str], winner: str) -> Payoffs:
        """+1 for each good and −g/e for each evil player if good wins, else the opposite."""
        sides = list(map(cast.side, dealt))
        won = {"good": 1.0, "evil": -1.0}.get(winner, 0.0)
        good, evil = won, -won * sides.count("good") / sides.count("evil") + 0.0
        return {
            role: good if side == "good" else evil
            for role, side in zip(self.roles, sides, strict=True)
        }

    @property
    def _listed(self) -> bool:
        """Whether proposals are listed: in all quests or in none."""
        return max(comb(self.players, size) for size in cast.QUESTS[self.players]) <= LISTED

    def teams(self, size: int) -> tuple[str, ...] | None:
        """All teams of a size, or ``None`` where they are too many to list."""
        if not self._listed:
            return None
        return tuple(map(" ".join, combinations(self.roles, size)))

    def some_teams(self, size: int) -> tuple[str, ...]:
        """A few teams that differ much, as examples."""
        every = -(-comb(self.players, size) // 6)
        return tuple(map(" ".join, islice(combinations(self.roles, size), 0, None, every)))

    def rules(self, role: Role) -> str:
        evil, sizes = cast.EVIL[self.players], ", ".join(map(str, cast.QUESTS[self.players]))
        times = "once" if self.talk == 1 else f"{self.talk} times"
        talk = f"each player speaks {times}, the leader first; then " if self.talk else ""
        two = "; the fourth takes two" if cast.fails(self.players, 3) == 2 else ""
        return (
            f"Avalon. You are {role}, one of {self.players} players: {self.players - evil} good, "
            f"{evil} evil. Parts: {', '.join(self.deck)}. {cast.who_knows(self.deck)} There are "
            f"five quests with teams of {sizes}. For each the leader proposes a team by names, "
            f"such as {_names(self, (0, 1, 2))}; {talk}all vote approve or reject at once, and "
            "the votes are shown. Without a majority, and after each quest, the next player "
            f"leads; after {REJECTIONS} rejected teams in a row evil wins. Who is on an approved "
            "team plays success or fail in secret, only how many of each is shown; good players "
            f"must play success. One fail makes a quest fail{two}. Evil wins with {TO_WIN} failed "
            f"quests. With {TO_WIN} successful ones good wins, unless the assassin then names "
            "merlin. If good wins, each good player gets 1 and each evil one loses "
            f"{Fraction(self.players - evil, evil)}; if evil wins, the opposite."
        )

    def start(self, seed: int) -> AvalonState:
        rng = random.Random(seed)
        dealt = list(self.deck)
        rng.shuffle(dealt)
        leader = rng.randrange(self.players)
        parts = (
            private(cast.told(dealt, seat, self.roles), role)
            for seat, role in enumerate(self.roles)
        )
        return AvalonState(self, tuple(dealt), leader, (*rules_first(self), *parts))._headed()
