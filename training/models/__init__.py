"""Models of any size: adapters, numbers of fewer bits, recomputed activations, and what fits."""
