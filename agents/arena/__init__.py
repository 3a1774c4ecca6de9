"""The arena: agents against each other. Who is stronger, by how much, how sure.

match.py        two agents in one game, from Python: the shortest way in
schedule.py     who plays whom on which deal; swiss.py and until.py are other ways to go on
tournament.py   playing it, keeping every finished game, going on after a stop
folder.py       where a tournament is kept
table.py        one row for each seat of each game: all that the statistics read
summary.py      all that a table shows, as one value, from

    estimates.py    means with intervals that count deals
    records.py      by side; how agents answer; what games measured
    paired.py       two agents on the same deals
    ratings.py      Bradley-Terry with a term for each side; cells.py counts who got more than whom,
                    likelihood.py fits, bootstrap.py draws deals again
    averaging.py    Nash averaging and alpha-rank, where strength is not transitive

power.py        how many deals an answer takes
simulation.py   tournaments of known strengths, to see how often the intervals hold the truth
"""
