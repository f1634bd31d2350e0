"""What can go wrong, with the status and the words that a person is shown.

Each class below is a family: modules define their own errors beside the code that raises them
and derive from the family that carries the right HTTP status. The docstring of an error is its
English message and the msgid of its translations; it never holds a provider's raw text.
"""

import inspect


class GuichetError(Exception):
    """Something went wrong on our side. Please try again in a moment."""

    #: A few words to stand above the message, in English.
    title = "The mistake is ours"
    status = 500
    code = "internal_error"

    def __init__(self, **details: object) -> None:
        super().__init__(self.message)
        self.details = details

    @property
    def message(self) -> str:
        """The English sentence for a person: the first paragraph of the class's docstring."""
        text = inspect.getdoc(type(self)) or ""
        return " ".join(text.split("\n\n")[0].split())


class MalformedRequest(GuichetError):
    """This request cannot be understood."""

    title = "This did not work"
    status = 400
    code = "malformed_request"


class SignInRequired(GuichetError):
    """Please sign in to continue."""

    title = "Please sign in"
    status = 401
    code = "sign_in_required"


class Forbidden(GuichetError):
    """This is not allowed."""

    title = "This is not allowed"
    status = 403
    code = "forbidden"


class NotFound(GuichetError):
    """There is no such page.

    Another tenant's object is answered the same way as one that never existed.
    """

    title = "Page not found"
    status = 404
    code = "not_found"


class Conflict(GuichetError):
    """This has changed in the meantime. Please look again and repeat your choice."""

    title = "Something has changed"
    status = 409
    code = "conflict"


class InvalidInput(GuichetError):
    """Some of what was entered cannot be used."""

    title = "Please check what you entered"
    status = 422
    code = "invalid_input"


class TooManyRequests(GuichetError):
    """There were too many tries. Please wait a moment and try again."""

    title = "Too many tries"
    status = 429
    code = "too_many_requests"


class Unavailable(GuichetError):
    """This cannot be reached right now. Nothing was changed; please try again in a moment."""

    title = "Not available right now"
    status = 503
    code = "unavailable"
