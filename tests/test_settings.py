"""The settings: all faults named at once, nothing secret shown."""

import pytest

from guichet.dns_servers import parse_server
from guichet.settings import Settings, SettingsError, read_settings

GIVEN = {
    "DATABASE_URL": "postgresql://guichet_web:s3cret@127.0.0.1/guichet",
    "REDIS_URL": "redis://:s3cret@127.0.0.1:6379/0",
    "GUICHET_BASE_DOMAIN": "guichet.example",
    "GUICHET_MASTER_KEY": "s3cret-now, s3cret-before",
}


def test_production_needs_four_settings() -> None:
    settings = read_settings(GIVEN)
    assert settings.master_keys == ("s3cret-now", "s3cret-before")
    assert not settings.demo


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"REDIS_URL": ""})
    for name in GIVEN:
        assert name in str(raised.value)


def test_a_value_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(SettingsError):
        read_settings(GIVEN | {"GUICHET_DATABASE_CONNECTIONS": "many"})


def test_proxies_are_named_by_their_networks() -> None:
    given = GIVEN | {"GUICHET_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32,192.0.2.7"}
    assert read_settings(given).trusted_proxies == ("10.0.0.0/8", "2001:db8::/32", "192.0.2.7")
    assert read_settings(GIVEN).trusted_proxies == ()


@pytest.mark.parametrize(
    "networks", ["all", "10.0.0.1/8", "10.0.0.0/33", "0.0.0.0/0", "10.0.0.0/8, ::/0"]
)
def test_a_network_that_is_none_or_everybody_is_refused(networks: str) -> None:
    with pytest.raises(SettingsError, match="GUICHET_TRUSTED_PROXIES"):
        read_settings(GIVEN | {"GUICHET_TRUSTED_PROXIES": networks})


def test_settings_never_show_a_secret() -> None:
    assert "s3cret" not in repr(read_settings(GIVEN))
    assert "s3cret" not in f"{read_settings(GIVEN)}"


@pytest.mark.parametrize(
    ("domain", "scheme"),
    [
        ("localhost:8000", "http"),
        ("demo.localhost", "http"),
        ("guichet.example", "https"),
        ("localhost.example", "https"),
    ],
)
def test_plain_http_is_for_localhost_alone(domain: str, scheme: str) -> None:
    settings = Settings(database_url="", redis_url="", base_domain=domain, master_keys=())
    assert settings.url_scheme == scheme


@pytest.mark.parametrize(
    "url",
    [
        "s3cret",
        "http://user:s3cret@mail.example",
        "smtp://user:s3cret@mail.example",
        "smtps://user@mail.example",
        "smtps://user:s3cret@mail.example/path",
        "smtps://user:s3cret@mail.example:mail",
        "smtps://user:s3cret@mail_.example",
        "smtps://user:s3cret%0a@mail.example",
    ],
)
def test_a_mail_server_that_cannot_be_used_is_refused_without_being_quoted(url: str) -> None:
    given = GIVEN | {"GUICHET_SMTP_URL": url, "GUICHET_MAIL_FROM": "mail@guichet.example"}
    with pytest.raises(SettingsError, match="GUICHET_SMTP_URL") as raised:
        read_settings(given)
    assert "s3cret" not in str(raised.value)


def test_a_mail_server_needs_an_address_to_send_from() -> None:
    url = "smtps://user:s3cret@mail.example"
    with pytest.raises(SettingsError, match="GUICHET_MAIL_FROM"):
        read_settings(GIVEN | {"GUICHET_SMTP_URL": url})
    given = GIVEN | {"GUICHET_SMTP_URL": url, "GUICHET_MAIL_FROM": "mail@guichet.example"}
    assert read_settings(given).smtp_url == url


@pytest.mark.parametrize("address", ["mail", "a@b\r\nBcc: c@d", "Guichet <mail@guichet.example>"])
def test_an_address_to_send_from_is_a_plain_one(address: str) -> None:
    with pytest.raises(SettingsError):
        read_settings(GIVEN | {"GUICHET_MAIL_FROM": address})


def test_dns_servers_are_addresses_with_or_without_a_port() -> None:
    given = GIVEN | {"GUICHET_DNS_SERVERS": "10.0.0.2, 10.0.0.2:5353, [fd00::2]:53, fd00::2"}
    servers = read_settings(given).dns_servers
    assert [parse_server(it) for it in servers] == [
        ("10.0.0.2", 53),
        ("10.0.0.2", 5353),
        ("fd00::2", 53),
        ("fd00::2", 53),
    ]


@pytest.mark.parametrize("server", ["dns.example", "10.0.0.2:0", "10.0.0.2:99999", "[::1]x", "::x"])
def test_a_dns_server_that_is_no_address_is_refused(server: str) -> None:
    with pytest.raises(SettingsError, match="GUICHET_DNS_SERVERS"):
        read_settings(GIVEN | {"GUICHET_DNS_SERVERS": server})
