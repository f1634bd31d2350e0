"""Which DNS servers are asked, written as addresses."""

import ipaddress

_PORT = 53
_HIGHEST_PORT = 65535


def parse_server(text: str) -> tuple[str, int]:
    """Address and port of a server, such as `10.0.0.2`, `10.0.0.2:5353` or `[::1]:5353`.

    Raises ValueError for anything else; names are none, since who would look them up?
    """
    address, port = text, ""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        if rest and not rest.startswith(":"):
            raise ValueError(f"{text!r} is no address")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    port = port or str(_PORT)
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) <= _HIGHEST_PORT:
        raise ValueError(f"{text!r} names no port")
    return str(ipaddress.ip_address(address)), int(port)
