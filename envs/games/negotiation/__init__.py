"""Bargaining games, and what they share: the grammar of offers, haggling, the objective."""
