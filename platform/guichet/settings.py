"""What the environment decides, read once at start. No secret has a default."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated

import msgspec

from guichet.dns_servers import parse_server as parse_dns_server
from guichet.mail_servers import UnusableServer, parse_server

#: An address of plain ASCII that stands in a header as it is.
_ADDRESS = r"\A([A-Za-z0-9._%+=-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)?\Z"


class SettingsError(Exception):
    """A setting is missing or cannot be used; the text names it and says what to do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The deployment's settings. `docs/developer/settings.md` lists each with its meaning."""

    #: DATABASE_URL: PostgreSQL 15 or newer, as the application's role, which owns nothing.
    database_url: str
    #: REDIS_URL: Redis or Valkey; may be emptied at any time.
    redis_url: str
    #: GUICHET_BASE_DOMAIN: portals live at <slug>.<base domain>; a port may follow after a colon.
    base_domain: str
    #: GUICHET_MASTER_KEY: 32 bytes in base64; older keys may follow after commas until rotated.
    master_keys: tuple[str, ...]
    #: GUICHET_OWNER_DATABASE_URL: the role that owns the tables; `guichet migrate` alone uses it.
    owner_database_url: str = ""
    #: GUICHET_LISTEN: host:port that the web process binds.
    listen: str = "127.0.0.1:8000"
    #: GUICHET_METRICS_LISTEN: host:port of Prometheus metrics; `off` there, empty here, for none.
    metrics_listen: str = "127.0.0.1:9464"
    #: GUICHET_TRUSTED_PROXIES: networks whose X-Forwarded-For is believed, in CIDR notation.
    trusted_proxies: tuple[str, ...] = ()
    #: GUICHET_STRIPE_URL: where the Stripe API answers; a sandbox on loopback, or Stripe.
    stripe_url: str = "https://api.stripe.com"
    #: GUICHET_DATABASE_CONNECTIONS: the size of one process's connection pool.
    database_connections: int = 10
    #: GUICHET_IMPORT_RATE: requests a second to one merchant's provider while its account is read.
    import_rate: Annotated[float, msgspec.Meta(ge=1, le=100)] = 20.0
    #: GUICHET_DRAIN_SECONDS: how long a web process that was asked to stop says that it is not
    #: ready, and still serves: longer than the load balancer needs to notice.
    drain_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 5.0
    #: GUICHET_SMTP_URL: the server that mails are handed to; empty, those of merchants without a
    #: server of their own wait.
    smtp_url: str = ""
    #: GUICHET_MAIL_FROM: the address that mails come from where a merchant has none.
    mail_from: Annotated[str, msgspec.Meta(pattern=_ADDRESS)] = ""
    #: GUICHET_DNS_SERVERS: addresses of the servers that are asked about custom domains, such as
    #: 10.0.0.2 or 10.0.0.2:5353; empty, the system's own.
    dns_servers: tuple[str, ...] = ()
    #: GUICHET_STAFF_OIDC_ISSUER: the identity provider with which staff sign in at the console;
    #: empty, they sign in with mailed links alone.
    staff_oidc_issuer: str = ""
    #: GUICHET_STAFF_OIDC_CLIENT_ID: what that provider calls this deployment.
    staff_oidc_client_id: str = ""
    #: GUICHET_STAFF_OIDC_CLIENT_SECRET: its secret; empty for a public client.
    staff_oidc_client_secret: str = ""
    #: GUICHET_STAFF_OIDC_LABEL: what the button at the console says.
    staff_oidc_label: str = "Single sign-on"
    #: GUICHET_LOG_LEVEL: debug, info, warning or error.
    log_level: str = "info"
    #: GUICHET_DEMO: the demo's people are listed on the base host, and identity providers may
    #: be on loopback over plain HTTP. Never set it in production.
    demo: bool = False

    def __repr__(self) -> str:
        """Names no value: some of them hold secrets, and a traceback may print this."""
        return "Settings(...)"

    @property
    def url_scheme(self) -> str:
        """`http` on localhost only; everywhere else a proxy in front ends TLS."""
        name = self.base_domain.partition(":")[0]
        return "http" if name == "localhost" or name.endswith(".localhost") else "https"

    @property
    def console_host(self) -> str:
        """Where staff work, without its port."""
        return f"console.{self.base_host}"

    @property
    def preview_host(self) -> str:
        """Where drafts of portals are shown, apart from all cookies; without its port."""
        return f"preview.{self.base_host}"

    @property
    def base_host(self) -> str:
        """The base domain without its port."""
        return self.base_domain.partition(":")[0]


_NAMES = {
    "database_url": "DATABASE_URL",
    "redis_url": "REDIS_URL",
    "base_domain": "GUICHET_BASE_DOMAIN",
    "master_keys": "GUICHET_MASTER_KEY",
    "owner_database_url": "GUICHET_OWNER_DATABASE_URL",
    "listen": "GUICHET_LISTEN",
    "metrics_listen": "GUICHET_METRICS_LISTEN",
    "trusted_proxies": "GUICHET_TRUSTED_PROXIES",
    "stripe_url": "GUICHET_STRIPE_URL",
    "database_connections": "GUICHET_DATABASE_CONNECTIONS",
    "import_rate": "GUICHET_IMPORT_RATE",
    "drain_seconds": "GUICHET_DRAIN_SECONDS",
    "smtp_url": "GUICHET_SMTP_URL",
    "mail_from": "GUICHET_MAIL_FROM",
    "dns_servers": "GUICHET_DNS_SERVERS",
    "staff_oidc_issuer": "GUICHET_STAFF_OIDC_ISSUER",
    "staff_oidc_client_id": "GUICHET_STAFF_OIDC_CLIENT_ID",
    "staff_oidc_client_secret": "GUICHET_STAFF_OIDC_CLIENT_SECRET",
    "staff_oidc_label": "GUICHET_STAFF_OIDC_LABEL",
    "log_level": "GUICHET_LOG_LEVEL",
    "demo": "GUICHET_DEMO",
}


def environment_name(field: str) -> str:
    """The environment variable that a field of `Settings` is read from."""
    return _NAMES[field]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; raises `SettingsError` naming all faults."""
    given: dict[str, object] = {
        field: environ[name] for field, name in _NAMES.items() if environ.get(name)
    }
    missing = [
        _NAMES[field.name]
        for field in msgspec.structs.fields(Settings)
        if field.required and field.name not in given
    ]
    if missing:
        raise SettingsError(f"not set: {', '.join(missing)}. See docs/developer/settings.md.")
    for field in ("master_keys", "trusted_proxies", "dns_servers"):
        if field in given:
            given[field] = _split(str(given[field]))
    if given.get("metrics_listen") == "off":
        given["metrics_listen"] = ""
    try:
        settings = msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"a setting cannot be used: {error}") from error
    for network in settings.trusted_proxies:
        _check_network(network)
    for server in settings.dns_servers:
        _check_dns_server(server)
    _check_mail(settings)
    return settings


def _split(texts: str) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts.split(",") if text.strip())


def _check_network(text: str) -> None:
    name = _NAMES["trusted_proxies"]
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from error
    if network.prefixlen == 0:
        raise SettingsError(f"{name}: {text} is everybody. Name your own proxies only.")


def _check_dns_server(text: str) -> None:
    try:
        parse_dns_server(text)
    except ValueError as error:
        raise SettingsError(f"{_NAMES['dns_servers']}: {error}") from error


def _check_mail(settings: Settings) -> None:
    """A server can be used and has an address to send from."""
    if not settings.smtp_url:
        return
    try:
        parse_server(settings.smtp_url)
    except UnusableServer as error:
        raise SettingsError(f"{_NAMES['smtp_url']}: {error}") from error
    if not settings.mail_from:
        raise SettingsError(f"{_NAMES['smtp_url']} needs {_NAMES['mail_from']} beside it")
