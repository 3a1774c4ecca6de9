"""Recipes by name: a module with a ``Config`` and a ``build(config, checkpoint) -> Experiment``."""

RECIPES: dict[str, str] = {
    "kuhn": "sparring.training.recipes.kuhn",
}
