"""What a settings page is asked for in its address."""

from urllib.parse import parse_qsl

from guichet.console.visit import Visit

_LONGEST = 255
_MOST = 20


def read_query(visit: Visit) -> dict[str, str]:
    """The query's values by name, each bounded; empty where it cannot be read."""
    query = visit.scope["query_string"].decode("latin-1")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        return {}
    return {name: value[:_LONGEST] for name, value in pairs if "\0" not in value}
