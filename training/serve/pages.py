"""The files of the page, ours and those that it shares with the report."""

from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

SCRIPTS = ("page.js", "home.js", "game.js", "play.js", "watch.js", "parts.js", "dom.js")
STATIC = {
    **dict.fromkeys(SCRIPTS, ("serve", "text/javascript")),
    "page.css": ("serve", "text/css"),
    "replay.js": ("report", "text/javascript"),
    "style.css": ("report", "text/css"),
}
"""The files of the page: the package that holds each, and its type."""


async def page(request: Request) -> Response:
    return Response(_file("serve", "page.html"), media_type="text/html")


async def static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404, "no such file")
    package, kind = STATIC[name]
    return Response(_file(package, name), media_type=kind)


def _file(package: str, name: str) -> bytes:
    return (files(f"sparring.training.{package}") / name).read_bytes()
