"""The arena: agents against each other. Who is stronger, by how much, how sure.

schedule.py     who plays whom on which deal
tournament.py   playing it, keeping every finished game, going on after a stop
table.py        one row for each seat of each game
estimates.py    means with intervals that count deals
ratings.py      Bradley-Terry with a seat term
averaging.py    Nash averaging and alpha-rank, where strength is not transitive
summary.py      all that a table shows, as one value
"""
