"""The pool: past selves and fixed agents by name, and how the learner fares against each."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sparring.agents.core import Agent
from sparring.envs.core import BadInput, Role
from sparring.training.opponents.lodging import Lodging, lodges
from sparring.training.opponents.past_self import PastSelf, frozen, past_self
from sparring.training.opponents.records import Records
from sparring.training.player import Player
from sparring.training.weights import Weights


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One opponent. ``step``: the number of updates when it was taken.

    ``copies``: the frozen weights of each player that it is a past self of, by the player's name;
    none for a fixed agent. ``agents`` has the agents of the same players, or the fixed one as "".
    """

    name: str
    step: int
    copies: Mapping[str, Weights]
    agents: Mapping[str, Agent]
    source: Mapping[str, Weights] = field(default_factory=dict)  # the copies as they were loaded

    @property
    def fixed(self) -> bool:
        return not self.copies


class Pool:
    """Past selves of ``players``, oldest first, and the agents in ``fixed``, which stay.

    Args:
        players: what learns, by name, as in ``SelfPlay.players``.
        fixed: agents of any kind that do not change.
        capacity: how many past selves at most; the oldest goes first (see ``add``). None: no bound.
        player_of: the name of the player in a role, where several share a game.
        decay: of the records, for each update.
        memory: bytes of keys and values for each past self; of players with adapters for all of
            them together, since they share an engine.

    Raises:
        BadInput: two agents have the same name, or the capacity is below 1.
    """

    def __init__(
        self,
        players: Mapping[str, Player],
        *,
        fixed: Sequence[Agent] = (),
        capacity: int | None = 50,
        player_of: Callable[[Role], str] | None = None,
        decay: float = 0.9,
        memory: int = 1 << 26,
    ):
        if capacity is not None and capacity < 1:
            raise BadInput(f"a pool holds at least 1 past self, not {capacity}")
        names = [agent.name for agent in (*fixed, *(p.agent for p in players.values()))]
        if len(set(names)) < len(names) or set(players) & {agent.name for agent in fixed}:
            raise BadInput(f"agents of a pool need names of their own, not {', '.join(names)}")
        self.players = players
        self.capacity = capacity
        self.player_of = player_of
        self.records = Records(decay)
        self.memory = memory
        self.lodging = Lodging(memory)
        self.members = {a.name: Member(a.name, 0, {}, {"": a}) for a in fixed}

    @property
    def past(self) -> list[Member]:
        """The past selves, oldest first."""
        return [member for member in self.members.values() if not member.fixed]

    def seated(self, name: str, role: Role) -> Agent:
        """The agent of a member for a seat."""
        agents = self.members[name].agents
        if len(agents) == 1:
            return next(iter(agents.values()))
        if self.player_of is None:
            raise BadInput("a pool of several players needs player_of: who plays which role")
        return agents[self.player_of(role)]

    def add(
        self, step: int, players: Collection[str] | None = None, keep: Collection[str] = ()
    ) -> tuple[Member, list[str]]:
        """Freeze ``players`` (all of them unless named) as one member.

        Returns it and the names of those that had to go: while there are more past selves than
        ``capacity``, the oldest that is not in ``keep``. If all are kept, the pool grows beyond it.
        """
        chosen = sorted(self.players if players is None else players)
        label = self.players[chosen[0]].agent.name if len(chosen) == 1 else "learners"
        name = f"{label}@step-{step}"
        made = self._member(name, step, {p: frozen(self.players[p]) for p in chosen})
        self.members[name] = made
        return made, self._make_room({*keep, name})

    def _make_room(self, keep: Collection[str]) -> list[str]:
        extra = len(self.past) - (self.capacity or len(self.past))
        gone = [member.name for member in self.past if member.name not in keep][: max(extra, 0)]
        for name in gone:
            del self.members[name]
            self.lodging.leave(name)
            self.records.drop(name)
        return gone

    def _member(self, name: str, step: int, copies: Mapping[str, Weights]) -> Member:
        agents = {}
        for p, copy in copies.items():
            label = name if len(copies) == 1 else f"{self.players[p].agent.name}@step-{step}"
            player = self.players[p]
            if lodges(player):
                lodger = self.lodging.take_in(name, p, player, copy)
                mine = replace(player.agent, name=label, engine=lodger)
                agents[p] = PastSelf(mine, lodger.engine.forget)
            else:
                agents[p] = past_self(label, player, copy, self.memory)
        return Member(name, step, copies, agents)

    def forget(self) -> None:
        """Empty the memories of the past selves' engines."""
        for member in self.past:
            for agent in member.agents.values():
                if isinstance(agent, PastSelf):
                    agent.forget()

    def state_dict(self) -> dict[str, Any]:
        past = [{"name": m.name, "step": m.step, "copies": dict(m.copies)} for m in self.past]
        fixed = [m.name for m in self.members.values() if m.fixed]
        return {"past": past, "fixed": fixed, "records": self.records.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises ``BadInput`` where the fixed agents are others than when it was saved."""
        fixed = {name: m for name, m in self.members.items() if m.fixed}
        if list(fixed) != state["fixed"]:
            raise BadInput(
                f"the pool was saved with the fixed agents {state['fixed']}, not {list(fixed)}"
            )
        before = {member.name: member for member in self.past}
        kept = {s["name"] for s in state["past"] if _is(before.get(s["name"]), s)}
        for name in before.keys() - kept:
            self.lodging.leave(name)
        self.members = fixed
        for saved in state["past"]:
            name = saved["name"]
            self.members[name] = before[name] if name in kept else self._loaded(saved)
        self.records.load_state_dict(state["records"])

    def _loaded(self, saved: Mapping[str, Any]) -> Member:
        copies = {p: self._placed(p, copy) for p, copy in saved["copies"].items()}
        made = self._member(saved["name"], saved["step"], copies)
        return replace(made, source=dict(saved["copies"]))

    def _placed(self, player: str, copy: Mapping[str, Any]) -> Weights:
        device = self.players[player].model.device
        return {name: weight.to(device) for name, weight in copy.items()}


def _is(member: Member | None, saved: Mapping[str, Any]) -> bool:
    """Whether a member was loaded from these very weights."""
    if member is None or member.step != saved["step"]:
        return False
    source, copies = member.source, saved["copies"]
    return source.keys() == copies.keys() and all(source[p] is copies[p] for p in copies)
