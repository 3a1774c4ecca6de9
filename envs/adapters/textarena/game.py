"""TextArena's games as ours: their rules and words, our views, our referee."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sparring.envs.adapters.textarena.catalogue import Family
from sparring.envs.adapters.textarena.held import Held, Refused, Said, move, open_game
from sparring.envs.adapters.textarena.moves import Moves, Open, Speech
from sparring.envs.answers import choose
from sparring.envs.core import (
    Declaration,
    IllegalAction,
    Message,
    Observation,
    Payoffs,
    Role,
    View,
    seats,
    visible,
)
from sparring.envs.messages import private, public, rules_first, speech

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class TextArenaState:
    game: "TextArenaGame"
    held: Held
    log: View
    moves: Moves = ()
    actor: Role | None = None  # None: over
    paid: tuple[float, ...] = ()  # one a role, in their order

    @property
    def to_act(self) -> tuple[Role, ...]:
        return () if self.actor is None else (self.actor,)

    @property
    def payoffs(self) -> Payoffs:
        return dict(zip(self.game.roles, self.paid, strict=True))

    def observe(self, role: Role) -> Observation:
        seen = visible(self.log, role)
        if role != self.actor:
            return Observation(role, seen)
        if isinstance(self.moves, tuple):
            return Observation(role, seen, self.moves)
        return Observation(role, seen, None, self.moves.examples)

    def step(self, answers: Mapping[Role, str]) -> "TextArenaState":
        """Raises ``IllegalAction`` with TextArena's reason, ``Void`` where TextArena fails."""
        (role,) = self.to_act
        answer = _read(answers, role, self.moves)
        try:
            written = answer if isinstance(self.moves, Speech) else f"[{answer}]"
            env, said, held = move(self.held, written)
        except Refused as refused:
            raise IllegalAction(role, f"TextArena refuses this: {refused}") from None
        new = tuple(self.game.told(said, role, answer))
        return replace(self, held=held, log=self.log + new)._looked_at(env)

    def _looked_at(self, env: Any) -> "TextArenaState":
        """With who is to move, what it may say, and what was won, all read from the game."""
        roles = self.game.roles
        if not env.state.done:
            actor = roles[env.state.current_player_id]
            return replace(self, actor=actor, moves=self.game.family.moves(env))
        rewards, info = env.close()
        paid = tuple(float(rewards[player]) for player in range(len(roles)))
        won = ", ".join(f"{role} {p:+g}" for role, p in zip(roles, paid, strict=True))
        end = public(f"The game is over. Rewards: {won}. {info[0].get('reason') or ''}".strip())
        return replace(self, actor=None, moves=(), paid=paid, log=(*self.log, end))


def _read(answers: Mapping[Role, str], role: Role, moves: Moves) -> str:
    """The one move that ``role`` answered, as TextArena writes it.

    Raises:
        IllegalAction: no reading, or more than one.
    """
    match moves:
        case tuple():
            return choose(answers, role, moves)
        case Speech():
            return answers[role].strip()
        case Open(form, examples):
            text = answers[role].strip()
            marked: set[str] = {group.strip() for group in _BRACKETS.findall(text)} or {text}
            fitting = [each for each in marked if form.fullmatch(each)]
            if len(fitting) == 1:
                return fitting[0]
            fault = "has more than one reading" if fitting else "has not the form of a move"
            like = " or ".join(f"[{example}]" for example in examples[:2])
            raise IllegalAction(role, f"That reply {fault}. Reply with one move like {like}.")


@dataclass(frozen=True, slots=True)
class TextArenaGame:
    """A game of TextArena, played by its own code under our referee and our views."""

    id: str
    family: Family = field(repr=False)
    max_turns: int = field(repr=False)
    prompts: tuple[str, ...] = field(repr=False)  # one a role; empty where the deal changes it
    called: tuple[str, ...] = field(repr=False)  # TextArena's names of the players

    @property
    def name(self) -> str:
        return f"textarena:{self.id}"

    @property
    def roles(self) -> tuple[Role, ...]:
        return seats(self.family.players)

    @property
    def declares(self) -> Declaration:
        kind = self.family
        return Declaration(
            sum=kind.sum,
            hidden_information=kind.hidden,
            max_turns=self.max_turns,
            low=kind.low,
            high=kind.high,
            free_speech=kind.free_speech,
        )

    def rules(self, role: Role) -> str:
        """Who is who, how to answer, and TextArena's prompt where it is the same in every deal."""
        player = self.roles.index(role)
        head = f"TextArena's {self.id}. You are {role}, in the game's words {self.called[player]}."
        lines = [head, self.prompts[player], self.family.note, self.family.answering]
        return "\n".join(line for line in lines if line)

    def start(self, seed: int) -> TextArenaState:
        env, said, held = open_game(self.id, self.family.players, seed)
        skipped = () if self.family.dealt_prompt else ("PROMPT",)
        told = self.told([s for s in said if s.kind not in skipped])
        log = (*rules_first(self), *told)
        fresh = TextArenaState(self, held, log, paid=(0.0,) * len(self.roles))
        return fresh._looked_at(env)

    def told(self, said: list[Said], role: Role = "", answer: str = "") -> Iterator[Message]:
        """TextArena's messages as ours, to the same players; what a player said is its own."""
        for each in said:
            to = [self.roles[player] for player in each.to]
            everybody = len(to) == len(self.roles)
            if each.kind == "PLAYER_ACTION":
                yield speech(role, answer, None if everybody else to)
            else:
                text = each.text.strip("\n")
                yield public(text) if everybody else private(text, *to)


def textarena_game(name: str, family: Family) -> TextArenaGame:
    """The game ``name`` of an admitted family, with what TextArena itself says of it."""
    env, said, _ = open_game(name, family.players, seed=0)
    players = range(family.players)
    prompts = dict.fromkeys(players, "")
    for each in said:
        if each.kind == "PROMPT" and not family.dealt_prompt:
            prompts.update(dict.fromkeys(each.to, each.text.strip()))
    called = tuple(env.state.role_mapping.get(p, f"Player {p}") for p in players)
    return TextArenaGame(name, family, family.turns(env), tuple(prompts.values()), called)
