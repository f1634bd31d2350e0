"""The people of the demo, as its identity provider knows them and its pages list them."""

from typing import NamedTuple


class Person(NamedTuple):
    """Somebody who can sign in; `note` says what there is to see with them."""

    email: str
    name: str
    note: str


CUSTOMERS = (
    Person("ada@example.com", "Ada Lovelace", "active"),
    Person("grace@example.com", "Grace Hopper", "past due"),
    Person("linus@example.com", "Linus Pauling", "in a trial"),
    Person("zoe@example.com", "Zoé Laurent", "cancelled"),
)
STAFF = (
    Person("owner@atelier.example", "Camille Martin", "owns the agency Atelier"),
    Person("admin@lumen.example", "Noor Haddad", "administers Lumen"),
)
#: The agency that hosts the demo's merchants: slug and name.
AGENCY = ("atelier", "Atelier")
#: The demo's merchants: slug, and what they sell.
MERCHANTS = (
    ("lumen", "software"),
    ("marmite", "meal boxes, in French"),
    ("volta", "energy"),
)
