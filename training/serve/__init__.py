"""A small web page on which a person plays against agents, watches them and browses replays.

``table`` is one game, ``hall`` all of them, ``shown`` what a browser may know, ``app`` the routes.
"""
