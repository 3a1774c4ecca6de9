"""Avalon, a game in two files: the game is in ``game.py``, who is who in ``parts.py``."""

from sparring.envs.games.avalon.game import Avalon

__all__ = ["Avalon"]
