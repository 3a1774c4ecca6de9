"""The routes of the page. Everything a page sends is checked here or in ``lineup``.

    GET  /  /game/ID  /replay/NAME     the page; it finds out by itself which one it is
    GET  /api/lobby                    games, running games of agents
    GET  /api/game?spec=               one game: seats, rules, agents for it
    POST /api/games                    {"game", "seat", "agents"}: open one; gives its id
    GET  /api/games/ID                 what does not change of it
    GET  /api/games/ID/news            server-sent events, see ``shown``
    POST /api/games/ID/answer          {"turn", "text"}: the person's answer
    POST /api/games/ID/pace            {"running", "delay"} or {"step": true}: of agents' games
    POST /api/games/ID/leave           give it up
    GET  /api/replays  /api/replays/NAME

Errors are JSON: {"error": "one line"}.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sparring.envs.core import BadInput
from sparring.training.serve.core import Refused
from sparring.training.serve.guard import Guard, body, choice, flag, seconds, text
from sparring.training.serve.hall import Hall
from sparring.training.serve.pages import page, static
from sparring.training.serve.shown import Feed, about
from sparring.training.serve.table import Table

ALIVE = 15.0
"""Seconds after which a silent stream says that it is still there."""


def build(hall: Hall, hosts: Sequence[str]) -> Starlette:
    """The application. ``hosts`` are the names under which it may be reached."""

    @asynccontextmanager
    async def living(app: Starlette) -> AsyncIterator[None]:
        hall.pick_up()
        yield
        await hall.close()

    app = Starlette(
        routes=[
            *(Route(path, page) for path in ("/", "/game/{id}", "/replay/{name}")),
            Route("/static/{name}", static),
            Route("/api/lobby", lobby),
            Route("/api/game", one_game),
            Route("/api/games", open_game, methods=["POST"]),
            Route("/api/games/{id}", game_facts),
            Route("/api/games/{id}/news", news),
            Route("/api/games/{id}/answer", answer, methods=["POST"]),
            Route("/api/games/{id}/pace", pace, methods=["POST"]),
            Route("/api/games/{id}/leave", leave, methods=["POST"]),
            Route("/api/replays", replays),
            Route("/api/replays/{name}", one_replay),
        ],
        lifespan=living,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
            Middleware(Guard),
        ],
        exception_handlers={
            BadInput: _said(400),
            Refused: _said(409),
            HTTPException: _http,
        },
    )
    app.state.hall = hall
    return app


def _said(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, fault: Exception) -> Response:
        return JSONResponse({"error": str(fault)}, status)

    return handle


async def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return JSONResponse({"error": fault.detail}, fault.status_code, fault.headers)


def hall_of(request: Request) -> Hall:
    found: Hall = request.app.state.hall
    return found


def table_of(request: Request) -> Table:
    """The game that the address names. Raises 404 where there is none."""
    found = hall_of(request).find(request.path_params["id"])
    if found is None:
        raise HTTPException(404, "there is no such game here (any more)")
    return found


async def lobby(request: Request) -> Response:
    """The games on offer, and the games of agents that can be watched now. A game with a person
    in it is not listed: its address is the key to the person's seat."""
    hall = hall_of(request)
    running = [
        {"id": table.id, "game": table.setup.game, "seats": dict(table.setup.seats)}
        for table in reversed(hall.tables.values())
        if table.setup.person is None and not table.over
    ]
    games = await asyncio.to_thread(hall.lineup.games)
    run = None if hall.lineup.run is None else str(hall.lineup.run)
    first = hall.lineup.first()
    return JSONResponse({"run": run, "first": first, "games": games, "running": running})


async def one_game(request: Request) -> Response:
    lineup = hall_of(request).lineup
    rules = lineup.game(request.query_params.get("spec", ""))
    return JSONResponse(
        {
            "roles": list(rules.roles),
            "rules": {role: rules.rules(role) for role in rules.roles},
            "agents": lineup.agents(rules),
        }
    )


async def open_game(request: Request) -> Response:
    asked = await body(request)
    spec, seat = text(asked, "game"), asked.get("seat")
    table = hall_of(request).open(
        spec, None if seat is None else text(asked, "seat"), choice(asked)
    )
    return JSONResponse({"id": table.id}, 201)


async def game_facts(request: Request) -> Response:
    return JSONResponse(about(table_of(request)))


async def news(request: Request) -> Response:
    table = table_of(request)
    return StreamingResponse(_stream(hall_of(request), table), media_type="text/event-stream")


async def _stream(hall: Hall, table: Table) -> AsyncIterator[str]:
    feed = Feed(table)
    while not hall.closed:
        changed, closed = table.changed, table.closed
        if (found := feed.news()) is not None:
            yield f"data: {json.dumps(found)}\n\n"
        if closed:
            yield "event: over\ndata: {}\n\n"
            return
        try:
            await asyncio.wait_for(changed.wait(), ALIVE)
        except TimeoutError:
            yield ": still here\n\n"


async def answer(request: Request) -> Response:
    table = table_of(request)
    asked = await body(request)
    turn = asked.get("turn")
    if not isinstance(turn, int) or isinstance(turn, bool):
        raise BadInput("an answer needs its turn, a whole number")
    table.answer(turn, text(asked, "text"))
    return JSONResponse({"ok": True})


async def pace(request: Request) -> Response:
    table = table_of(request)
    if table.setup.person is not None:
        raise Refused("a game with a person in it waits for its players only")
    asked = await body(request)
    table.set_pace(
        running=flag(asked, "running"),
        delay=seconds(asked, "delay"),
        step=bool(flag(asked, "step")),
    )
    return JSONResponse({"ok": True})


async def leave(request: Request) -> Response:
    hall_of(request).leave(table_of(request))
    return JSONResponse({"ok": True})


async def replays(request: Request) -> Response:
    return JSONResponse({"replays": await asyncio.to_thread(hall_of(request).shelf.listing)})


async def one_replay(request: Request) -> Response:
    found = await asyncio.to_thread(hall_of(request).shelf.get, request.path_params["name"])
    if found is None:
        raise HTTPException(404, "there is no such replay here")
    return Response(found, media_type="application/json")
