"""Binds the address to listen on."""

from __future__ import annotations

import errno
import os
import socket

from redcore_server.settings import OperatorError

_BACKLOG = 2048  # connections that wait to be accepted, as in uvicorn


class AddressUnavailable(OperatorError):  # noqa: N818 - reads as the state it reports
    """The server cannot listen on the requested address."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; early clients wait until the server answers.

    Args:
        host: Name or address of this machine.
        port: TCP port; 0 picks a free one.

    Raises:
        AddressUnavailable: The port is taken, or the host is not an address of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except socket.gaierror as error:
        raise AddressUnavailable(f"the host {host} is unknown; set --host to an address of this machine") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            advice = f"port {port} on {host} is in use; stop the program that uses it, or choose another with --port"
        else:
            reason = os.strerror(error.errno or 0)
            advice = f"cannot listen on {host} port {port}: {reason}; choose others with --host and --port"
        raise AddressUnavailable(advice) from error
