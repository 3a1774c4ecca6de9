"""Other suites' games, made ours: one module a suite, with ``load`` and ``available``."""
