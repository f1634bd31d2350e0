"""The one way to make a URL of this deployment."""

from collections.abc import Sequence

from guichet.settings import Settings


class Addresses:
    """URLs of portals, the console, previews, the API and the base host, with the base's port."""

    def __init__(self, settings: Settings) -> None:
        self._scheme = settings.url_scheme
        self._base_host = settings.base_host
        self._port = settings.base_domain.removeprefix(settings.base_host)
        #: What follows the slug in a portal's host.
        self.suffix = f".{settings.base_host}"

    def host(self, slug: str, custom_hosts: Sequence[str] = ()) -> str:
        """A portal's one canonical host: its first custom domain, or else its slug's host."""
        return custom_hosts[0] if custom_hosts else f"{slug}{self.suffix}"

    def portal(self, slug: str, custom_hosts: Sequence[str] = (), path: str = "/") -> str:
        return self._url(self.host(slug, custom_hosts), path)

    def console(self, path: str = "/") -> str:
        return self._url(f"console{self.suffix}", path)

    def preview(self, path: str = "/") -> str:
        return self._url(f"preview{self.suffix}", path)

    def api(self, path: str = "/") -> str:
        return self._url(f"api{self.suffix}", path)

    def base(self, path: str = "/") -> str:
        return self._url(self._base_host, path)

    def _url(self, host: str, path: str) -> str:
        # Anything else would move the end of the host.
        if path and not path.startswith("/"):
            raise ValueError("a path begins with a slash")
        return f"{self._scheme}://{host}{self._port}{path}"
