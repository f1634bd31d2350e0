"""A page's forms as a browser would send them untouched."""

from html.parser import HTMLParser

_TYPED = {"text", "hidden", "email", "number", "password", "url", "color", "search"}


class Forms(HTMLParser):
    """The fields of each form by the path it posts to; empty for the page's own."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.by_action: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] | None = None
        self._area: str | None = None
        self._select: str | None = None
        self._in_template = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "template":
            self._in_template += 1
        if self._in_template:
            return
        if tag == "form" and given.get("method") == "post":
            self._fields = self.by_action.setdefault(given.get("action", ""), {})
        elif self._fields is None:
            return
        elif tag == "input" and name:
            self._input(name, given)
        elif tag == "textarea":
            self._area, self._fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given):
            self._fields[self._select] = given["value"]
        elif tag == "option" and self._select:
            self._fields.setdefault(self._select, given["value"])

    def _input(self, name: str, given: dict[str, str]) -> None:
        assert self._fields is not None
        kind = given.get("type", "text")
        if kind in _TYPED or (kind in ("radio", "checkbox") and "checked" in given):
            self._fields[name] = given.get("value", "on")

    def handle_data(self, data: str) -> None:
        if self._area is not None and self._fields is not None:
            # The first line break of a text area is the markup's.
            text = data if self._fields[self._area] else data.removeprefix("\n")
            self._fields[self._area] += text

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._in_template -= 1
        elif tag == "form":
            self._fields = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None
