"""Listening: the socket, the names by which the page may be asked for, and stopping at once."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import signal
import socket
from types import FrameType

import uvicorn

from sparring.envs.core import BadInput
from sparring.training.serve.app import build
from sparring.training.serve.hall import Hall

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


class Server(uvicorn.Server):
    """One that ends its streams when it is told to stop, instead of waiting for them."""

    def __init__(self, config: uvicorn.Config, hall: Hall):
        super().__init__(config)
        self.hall = hall
        self.loop: asyncio.AbstractEventLoop | None = None
        self.interrupted = False

    def serve_on(self, listening: socket.socket) -> None:
        """Run until it is told to stop.

        Raises:
            KeyboardInterrupt: by Ctrl-C. uvicorn raises the signal again when it is done, but it
                can get lost on the way.
        """
        self.run([listening])
        if self.interrupted:
            raise KeyboardInterrupt

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.interrupted |= sig == signal.SIGINT
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.hall.wake)
        super().handle_exit(sig, frame)


def server(hall: Hall, host: str) -> Server:
    """The server of a hall, to be run on a socket that listens on ``host``."""
    logging.getLogger("sparring").addHandler(logging.StreamHandler())
    config = uvicorn.Config(
        build(hall, names_of(host)),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ws="none",
    )
    return Server(config, hall)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        BadInput: the port is busy, or there is no such address here.
    """
    if not 0 <= port <= 65535:
        raise BadInput(f"--port is from 0 to 65535, not {port}")
    try:
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=kind, backlog=128)
    except PermissionError as fault:
        raise BadInput(f"port {port} needs more rights; choose one above 1023") from fault
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise BadInput(
                f"port {port} is in use; choose another with --port, or any free one with --port 0"
            ) from fault
        raise BadInput(f"cannot listen on --host {host}: {fault.strerror or fault}") from fault
    # connections inherit it; without, the body of a small answer waits 40 ms behind its headers
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def names_of(host: str) -> list[str]:
    """The names by which the page may be asked for; any other comes from a page elsewhere whose
    own name was made to point here."""
    if is_loopback(host):
        return [*LOOPBACK, host]
    own = {host, socket.gethostname(), socket.getfqdn(), *LOOPBACK}
    with contextlib.suppress(OSError):  # a machine whose own name leads nowhere
        own |= {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing; it only picks the outgoing address
        own.add(str(probe.getsockname()[0]))
    return sorted(own)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
