"""A little DNS server on loopback, with the records that a test gives it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsServer(asyncio.DatagramProtocol):
    """Answers over UDP. Names without records do not exist, unless something is below them."""

    def __init__(self) -> None:
        #: Texts of records by name and type: `{("pay.example", "A"): ["192.0.2.1"]}`.
        self.records: dict[tuple[str, str], list[str]] = {}
        #: What every question is answered with in place of records, such as `SERVFAIL`.
        self.failure: str | None = None
        #: Says nothing at all.
        self.silent = False
        #: Every name and type that was asked for.
        self.asked: list[tuple[str, str]] = []
        self.address = ""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        wanted = question.question[0]
        name = wanted.name.to_text().lower().removesuffix(".")
        kind = dns.rdatatype.to_text(wanted.rdtype)
        self.asked.append((name, kind))
        if self.silent:
            return
        if self.failure:
            answer.set_rcode(dns.rcode.from_text(self.failure))
        else:
            self._fill(answer, wanted.name, name, kind)
        self._transport.sendto(answer.to_wire(), addr)

    def _fill(
        self, answer: dns.message.Message, asked: dns.name.Name, name: str, kind: str
    ) -> None:
        if found := self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(asked, 60, "IN", kind, *found))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)

    def prove(self, host: str, text: str) -> None:
        """Publish the record that proves a domain."""
        self.records[f"_guichet-challenge.{host}", "TXT"] = [f'"{text}"']

    def alias(self, host: str, target: str) -> None:
        """Have a name lead to another."""
        self.records[host, "CNAME"] = [f"{target}."]


@contextlib.asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    """A server with no records, on a port of its own."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(DnsServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
