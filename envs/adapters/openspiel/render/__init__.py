"""Readable rules, observations and answers, by the short name of the game."""

from collections.abc import Mapping

from sparring.envs.adapters.openspiel.render.base import PLAIN, Renderer
from sparring.envs.adapters.openspiel.render.boards import BOARDS
from sparring.envs.adapters.openspiel.render.cards import CARDS
from sparring.envs.adapters.openspiel.render.matrix import MATRIX, one_shot
from sparring.envs.adapters.openspiel.render.small import SMALL
from sparring.envs.adapters.openspiel.render.social import SOCIAL

__all__ = ["PLAIN", "RENDERERS", "Renderer", "one_shot"]

RENDERERS: Mapping[str, Renderer] = {**MATRIX, **SMALL, **BOARDS, **SOCIAL, **CARDS}
