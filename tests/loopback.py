"""What a client on this machine needs to speak with a server on this machine: no authorities."""

import ssl

#: For httpx's `verify`: nothing here speaks TLS, and a context that knows the world's authorities
#: takes 20 ms to make, each time.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
