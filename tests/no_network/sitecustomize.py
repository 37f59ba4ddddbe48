"""Python imports this by itself in every process whose PYTHONPATH begins with this folder: the outside is out of reach.

Loopback addresses and sockets of the file system work as ever. Whoever asks for anything else gets an error, and a line
in the file that NO_NETWORK_LOG names tells of it:

    NO_NETWORK_LOG=asked.txt PYTHONPATH=tests/no_network autotl search task.yaml --offline; cat asked.txt
"""

import ipaddress
import os
import socket
import sys
import traceback

LOCAL_NAMES = {None, "", "localhost", "ip6-localhost", "0.0.0.0", "::", socket.gethostname()}


def is_local(host):
    """Whether a name or an address is this machine's own."""
    if isinstance(host, bytes):
        host = host.decode()
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except (ValueError, AttributeError):
        return False


def refuse(what, host):
    """Writes down who asked, and refuses."""
    stack = " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in traceback.extract_stack()[-8:-2])
    with open(os.environ.get("NO_NETWORK_LOG", os.devnull), "a") as log:  # noqa: PTH123
        log.write(f"{what} {host!r} by {' '.join(sys.argv)[:200]}: {stack}\n")
    raise OSError(f"no network in this test: {what} {host!r}")


def guarded(method, name):
    """The method of a socket, refusing addresses outside."""

    def call(self, *arguments):
        address = arguments[-1] if name == "sendto" else arguments[0]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
            refuse(name, address[0])
        return method(self, *arguments)

    return call


def guarded_lookup(lookup):
    """A resolver that knows this machine alone."""

    def call(host, *arguments, **keywords):
        if not is_local(host):
            refuse("lookup", host)
        return lookup(host, *arguments, **keywords)

    return call


for _name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, _name, guarded(getattr(socket.socket, _name), _name))
for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, _name, guarded_lookup(getattr(socket, _name)))
