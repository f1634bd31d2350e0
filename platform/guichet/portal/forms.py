"""Reading a posted form: small, flat, each field once."""

from typing import Any

from litestar.connection import Request
from litestar.exceptions import ClientException

from guichet.errors import InvalidInput, MalformedRequest

#: No form of the portal has more fields than this.
MAX_FIELDS = 50

Form = dict[str, str]
AnyRequest = Request[Any, Any, Any]


class MalformedForm(MalformedRequest):
    """This form could not be read. Please go back and send it again."""

    code = "malformed_form"


class MissingField(InvalidInput):
    """Something is missing in this form. Please go back and send it again."""

    code = "missing_field"


async def read_form(request: AnyRequest) -> Form:
    """The fields of a form; raises `MalformedForm` for anything but plain single values."""
    try:
        data = await request.form()
    except (ClientException, ValueError) as error:
        raise MalformedForm from error
    fields = list(data.multi_items())
    if len(fields) > MAX_FIELDS or len(fields) != len({name for name, _ in fields}):
        raise MalformedForm
    if not all(isinstance(value, str) and "\0" not in value for _, value in fields):
        raise MalformedForm
    return dict(fields)
