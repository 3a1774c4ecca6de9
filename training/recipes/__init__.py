"""Recipes by name: a module with a ``Config`` and a ``build(config, checkpoint) -> Experiment``."""

RECIPES: dict[str, str] = {
    "kuhn": "sparring.training.recipes.kuhn",
    "league": "sparring.training.recipes.league",
    "psro": "sparring.training.recipes.psro",
    "spiral": "sparring.training.recipes.spiral",
    "tictactoe": "sparring.training.recipes.tictactoe",
    "spag": "sparring.training.recipes.spag",
    "dond": "sparring.training.recipes.dond",
    "debate": "sparring.training.recipes.debate",
    "playpen": "sparring.training.recipes.playpen",
}
