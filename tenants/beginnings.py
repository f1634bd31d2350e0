"""What a new merchant's portal begins with: nothing, or what another merchant has published."""

import re

import msgspec

from tenants.configuration import Configuration

#: Pictures are named by the hash of their bytes.
_PICTURE = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def begin_like(configuration: Configuration, locale: str) -> Configuration:
    """The look, rules, texts and mails of another merchant, for one with this language.

    Left out is what belongs to that merchant alone: prices are of its provider's account, as are
    rules about them; customers are known to its identity providers; and its terms, its imprint and
    its support speak for another company.
    """
    rules = tuple(it for it in configuration.changes.rules if not (it.from_plan or it.to_plan))
    return msgspec.structs.replace(
        configuration,
        locale=locale,
        branding=msgspec.structs.replace(configuration.branding, links=()),
        plans=(),
        changes=msgspec.structs.replace(configuration.changes, rules=rules),
        identity_providers=(),
        support_email="",
    )


def pictures_of(configuration: Configuration) -> set[str]:
    """The ids of all pictures that a configuration may name, wherever it does."""
    return set(_PICTURE.findall(msgspec.json.encode(configuration).decode()))
