"""Debate, a game in several files: the game itself is in ``game.py``."""

from sparring.envs.games.debate.game import Debate

__all__ = ["Debate"]
