"""What ``sparring new-game`` writes: a small game that works, with its test, page and transcript."""
