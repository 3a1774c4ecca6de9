"""A player that begins anew: a best response from scratch, an exploiter that is reset."""

from collections.abc import Mapping

import torch

from sparring.envs.core import BadInput
from sparring.training import shards, weights
from sparring.training.models import lora
from sparring.training.player import Player


@torch.no_grad()
def restart(player: Player, copy: Mapping[str, torch.Tensor]) -> None:
    """Give ``player`` the weights of ``copy``, which is left alone, and forget its optimiser's
    moments and its magnet: they belong to what it was.

    The copy may be another player's: parameters go by their order, as the names of two adapters
    differ.

    Raises:
        BadInput: the copy is of another kind of model.
    """
    with lora.active(player.model, player.learner.adapter):
        own = list(weights.trained(player.model).values())
    if [weight.shape for weight in own] != [weight.shape for weight in copy.values()]:
        raise BadInput("players that begin from the same weights need models of the same kind")
    for weight, given in zip(own, copy.values(), strict=True):
        weight.copy_(shards.like(given, weight))
    player.learner.fresh_optimizer()
    if player.learner.config.magnet:
        with lora.active(player.model, player.learner.adapter):
            player.learner.magnet = weights.copy_of(player.model)
    player.publish()
