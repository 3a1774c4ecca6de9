"""TextArena's games that are wrong, cannot be loaded, or never end: why, and what to use instead.

Of release 0.7.4, found by running or reading it. Keys are ids, or the part of an id before
``-v0``, which then speaks for all its variants.
"""

NEEDS_KEY = "it needs an API key"
NLTK = "it downloads word lists when it is loaded"
NEEDS_312 = "its code is not valid Python below 3.12"
ENDLESS = "a player whose allowance of errors is spent stays on turn for ever"

REFUSED: dict[str, str] = {
    # Rules that are not the game's
    "KuhnPoker": "bets never reach the pot, so it is not Kuhn poker; use KuhnPoker-v0",
    "SimpleNegotiation": "[Deny] leaves the offer standing, so that a later [Accept] executes it, "
    "and player 0 gets one turn more; use SimpleNegotiation-v0",
    "IteratedPrisonersDilemma": "a missing choice counts as cooperation, and only beating the "
    "other pays, so it is no dilemma; use IteratedPrisonersDilemma-v0",
    "ThreePlayerIPD": "a missing choice counts as cooperation; use IteratedPrisonersDilemma-v0",
    "IteratedUltimatumGame": "only having more than the other pays, so that no offer is worth "
    "accepting, and the prompt does not say so; use Ultimatum-v0",
    "LiarsDice": "a bid may exceed all the dice on the table; use LiarsDice-v0",
    "IndianPoker": "after one showdown by two checks a single check ends every later hand, and who "
    "has fewer chips cannot call",
    "HighSociety": "the winner is found without the remaining cash that its prompt counts, and "
    "ties may be bid again for ever",
    "SimpleBlindAuction": "losing bids are paid too, though its prompt says that the highest "
    "bidder wins",
    "Breakthrough": "pieces may not step diagonally to empty squares, and positions without a "
    "legal move never end",
    "LinesOfAction": "a capture that connects the other's pieces does not win for the other",
    "UltimateTicTacToe": "a drawn mini-board is never closed, so that full boards do not end",
    "QuantumTicTacToe": "a position without a legal move never ends, and marks collapse to the "
    "first free cell instead of by choice",
    "PegJump": "its list of jumps is not the triangle's: rows of the base are missing, bent ones "
    "are in it",
    "FifteenPuzzle": "half of its puzzles cannot be solved, and solving one crashes",
    "Minesweeper": "stepping on a mine is an invalid move, to be tried again, not a loss",
    "Bandit": "a wrong final choice pays its regret: the worse the button the higher the reward",
    "LightsOut": "an unsolved board pays as little as -24 where a solved one pays 1, and a board "
    "that starts solved crashes it",
    "PigDice": "a turn may go on for ever, so the game has no longest length; use PigDice-v0",
    "Taboo": "a guess with a broken bracket may be repeated for ever; use AdversarialTaboo-v0 or "
    "Taboo-v0",
    "DontSayIt": f"its target is found inside other words, and {NLTK}; use AdversarialTaboo-v0",
    "SecretMafia": "a vote written as its prompt says is shown as an empty message, and without "
    "doctor and detective the night kill is never executed; use Avalon-v0 or WhoIsTheSpy-v0",
    "Battleship-v0": "on its board of 5 x 5 placing the ships may never finish; use "
    "textarena:Battleship-v0-standard",
    # Never end
    "Poker": ENDLESS,
    "PublicGoodsGame": ENDLESS,
    "MarketEntryGame": ENDLESS,
    "SantoriniBaseFixed": ENDLESS,
    "SettlersOfCatan": ENDLESS,
    # Fail
    "Cryptarithm": "it notes a move with its arguments in the wrong order, so that the player's "
    "words become 0",
    "CharacterConclave": "it fails at the first move",
    "Tak": "it fails when the game ends (a wrong argument)",
    "GuessWho": f"{NEEDS_KEY} for its game master",
    "TwentyQuestions": f"{NEEDS_KEY} for its game master; use TwentyQuestions-v0",
    "ScenarioPlanning": f"{NEEDS_KEY} for its jury; use Debate-v0",
    "Debate": f"{NEEDS_KEY} for its jury, and a juror's failure counts as no vote; use Debate-v0",
    # Cannot be loaded
    "Chess": f"{NEEDS_312}; use pettingzoo:classic/chess_v6",
    "Checkers": f"{NEEDS_312}, and it fails when the game ends; use openspiel:checkers",
    "IteratedStagHunt": NEEDS_312,
    "ReverseTicTacToe": NEEDS_312,
    "UltimateTexasHoldem": NEEDS_312,
    "Klondike": "its code is not valid Python",
    "UsedCarNegotiation": "its data files are not in the package; use BuySell-v0",
    "UsedCar": "its module does not exist; use BuySell-v0",
    "ScorableGames": "its data files are not in the package",
    "BabyAiText": "it needs the package gym, which TextArena does not install",
    "Hangman": NLTK,
    "Wordle": NLTK,
    "WordLadder": NLTK,
    "WordSearch": NLTK,
    "WordChains": f"{NLTK}, and its words depend on the process",
    "LetterAuction": NLTK,
    "SpellingBee": NLTK,
    "Codenames": NLTK,
}


def why_refused(name: str) -> str | None:
    """The reason, or ``None`` where none is known."""
    return REFUSED.get(name) or REFUSED.get(name.partition("-v0")[0])
