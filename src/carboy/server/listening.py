"""The port: taken before anything costly happens, and closed without a reset connection."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys

from carboy.errors import CarboyError

_PORT_MAX = 65535
_PORT_UNPRIVILEGED = 8080

_SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>; Python has no name for it
_TCP_FLAGS_OFFSET = 13
_SYN, _SYN_ACK = 0x02, 0x12
_LOAD_BYTE, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_WHOLE_PACKET = 0xFFFFFFFF


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jump_true", ctypes.c_ubyte),
        ("jump_false", ctypes.c_ubyte),
        ("operand", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def bind(host: str, port: int) -> socket.socket:
    """Take the port without listening yet: callers are refused until the start succeeded.

    :param host: name or address, IPv4 or IPv6; ``::`` takes both families.
    :param port: 0 takes a free one.
    :raises CarboyError: naming what is wrong and what to change.
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            bare or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise CarboyError(
            f"HTTP_HOST is {host!r}, which is no address of this machine. "
            "Set HTTP_HOST=127.0.0.1, or 0.0.0.0 to listen on every address."
        ) from None
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and bare == "::":
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise refusal(error, host, port) from error
    return taken


def address(host: str, port: int) -> str:
    """Write a host and its port as gunicorn reads them, and as they stand in a URL."""
    bare = host.removeprefix("[").removesuffix("]")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def refusal(error: OSError, host: str, port: int) -> CarboyError:
    """Turn the system's refusal of a port into one sentence with its remedy."""
    variable = "PORT" if "PORT" in os.environ else "HTTP_PORT"
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < _PORT_MAX else _PORT_UNPRIVILEGED
        return CarboyError(
            f"Port {port} on {host} is in use. Stop the other program, or choose another port: "
            f"{variable}={other} carboy run"
        )
    if error.errno == errno.EACCES:
        return CarboyError(
            f"Port {port} on {host} may be taken by privileged users only. Choose one above 1023: "
            f"{variable}={_PORT_UNPRIVILEGED} carboy run"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return CarboyError(
            f"HTTP_HOST is {host!r}, which is no address of this machine. "
            "Set HTTP_HOST=127.0.0.1, or 0.0.0.0 to listen on every address."
        )
    return CarboyError(
        f"Port {port} on {host} cannot be taken: {error.strerror}. Check HTTP_HOST and {variable}."
    )


def turn_newcomers_away(listener: socket.socket) -> bool:
    """Let no new connection begin, while those that have begun can still be accepted.

    Closing a listening socket resets whatever waits in its queue. So the kernel is told to
    drop the packets that open a connection (SYN without ACK): the queue then runs empty
    and the socket closes without a reset. The client's system repeats the packet after a
    second and is refused, or reaches the server that took over.

    :return: ``False`` where the system has no such filter; a connection that arrives
        between the last look at the queue and the closing is reset there.

    Source: Linux, ``Documentation/networking/filter.rst``; RFC 9293, section 3.1 (flags).
    """
    if sys.platform != "linux":
        return False
    instructions = (_Instruction * 5)(
        _Instruction(_LOAD_BYTE, 0, 0, _TCP_FLAGS_OFFSET),
        _Instruction(_AND, 0, 0, _SYN_ACK),
        _Instruction(_JUMP_IF_EQUAL, 0, 1, _SYN),
        _Instruction(_RETURN, 0, 0, 0),
        _Instruction(_RETURN, 0, 0, _WHOLE_PACKET),
    )
    program = _Program(len(instructions), ctypes.addressof(instructions))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, bytes(program))
    except OSError:
        return False
    return True
