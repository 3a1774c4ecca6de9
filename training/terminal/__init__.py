"""Games in the terminal, for ``sparring play``.

screen.py   who sits where, messages as they come, colour or plain text
live.py     a game that can be followed while it is played
watch.py    agents at play: all views as one, and how likely each answer was
ending.py   who won what, who was what, what the others saw
"""
