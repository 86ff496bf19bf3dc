"""Run the simulator's server until it is told to stop."""

import logging
import signal
import socket
import sys

import uvicorn

from simulator.house import House
from simulator.problem import Refused, Unable
from simulator.server import make_app
from simulator.settings import Settings

DRAIN_SECONDS = 3


def serve(settings: Settings) -> None:
    """Serve, or raise Refused before anything was touched."""
    settings.need_enabled()
    house = House(settings)
    listening = _listen(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(house),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    # What a lifespan raises is said below, in words.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    for sign in (signal.SIGTERM, signal.SIGINT):
        # uvicorn drains at the first and raises it again at the end.
        signal.signal(sign, signal.SIG_IGN)
    sys.stdout.write(f"{_words(settings, listening)}\n")
    sys.stdout.flush()
    try:
        server.run(sockets=[listening])
    except SystemExit as error:
        raise _why(house) from error
    finally:
        listening.close()
    if not server.started:
        raise _why(house)
    sys.stdout.write("The simulator is off; nothing is left of it.\n")


def _listen(settings: Settings) -> socket.socket:
    """Return the socket to listen on, or raise Unable."""
    where = (settings.listen, settings.port)
    family = socket.AF_INET6 if ":" in settings.listen else socket.AF_INET
    try:
        return socket.create_server(where, family=family, backlog=128)
    except OSError as error:
        raise Unable(
            f"it cannot listen on {where[0]}:{where[1]}: {error.strerror}",
            field="port",
            remedy="Stop what listens there, or choose another port",
        ) from error


def _words(settings: Settings, listening: socket.socket) -> str:
    """Return what is said when it begins."""
    host, port = listening.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    return (
        f"SIMULATOR ON: it causes real trouble on {settings.host}."
        f" http://{host}:{port} (stop it with Ctrl-C: it ends all)"
    )


def _why(house: House) -> Refused:
    """Return why it did not start."""
    return house.refusal or Unable("the server did not start")
