"""What ``sparring new-game`` writes: a small game that works, its test, page and transcript."""
