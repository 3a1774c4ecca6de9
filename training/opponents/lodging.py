"""Past selves of players with adapters: each is one more adapter of the model, and they answer in
one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from peft import PeftModel

from sparring.agents.engines.core import Completion, Request, Tokens
from sparring.agents.engines.local.engine import LocalEngine
from sparring.training.models import lora
from sparring.training.opponents.past_self import own_engine
from sparring.training.player import Player


@dataclass(frozen=True)
class Lodger:
    """An engine that answers with one adapter of a model that others use as well."""

    engine: LocalEngine
    adapter: str

    async def generate(self, request: Request) -> Completion:
        return await self.engine.generate(replace(request, adapter=self.adapter))

    async def score(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        return await self.engine.score(prompt, continuations, self.adapter)


class Lodging:
    """The adapters of past selves, on the models of ``Player``s; those on one model share one
    engine, with ``memory`` bytes of keys and values for all of them together."""

    def __init__(self, memory: int):
        self.memory = memory
        self.engines: dict[int, LocalEngine] = {}
        self._lodged: dict[tuple[str, str], tuple[Any, str]] = {}  # member, player: where, as what

    def take_in(self, member: str, name: str, player: Player, copy: Mapping[str, Any]) -> Lodger:
        """The engine of what ``player``, called ``name``, was when ``copy`` was made."""
        model, own = player.model, own_engine(player)
        adapter = _free(f"{member}/{name}".replace(".", "_"), model)  # modules have no dot
        lora.lodge(model, adapter, player.learner.adapter or str(model.active_adapter), copy)
        self._lodged[member, name] = model, adapter
        if id(model) not in self.engines:
            self.engines[id(model)] = own.twin(self.memory)
        return Lodger(self.engines[id(model)], adapter)

    def leave(self, member: str) -> None:
        """Its adapters go."""
        for who in [who for who in self._lodged if who[0] == member]:
            model, adapter = self._lodged.pop(who)
            model.delete_adapter(adapter)
            self.engines[id(model)].forget()  # another may get its name


def lodges(player: Player) -> bool:
    """Whether past selves of a player can be adapters beside its own."""
    return isinstance(player.model, PeftModel) and isinstance(player.agent.engine, LocalEngine)


def _free(wish: str, model: PeftModel) -> str:
    """A name that no adapter has: pools may share a model."""
    names = (wish, *(f"{wish}#{n}" for n in range(2, len(model.peft_config) + 3)))
    return next(name for name in names if name not in model.peft_config)
