"""What a door's page says of an error: one of ours for whatever was raised."""

from http import HTTPStatus

from litestar.exceptions import HTTPException

from guichet.errors import GuichetError, MalformedRequest, NotFound, Unavailable


class MethodNotAllowed(MalformedRequest):
    """This page cannot be used in this way. Please go back and try again."""

    status = 405
    code = "method_not_allowed"


class TooLarge(MalformedRequest):
    """What was sent is too large."""

    status = 413
    code = "too_large"


def known_error(error: Exception) -> GuichetError:
    """One of our errors for whatever was raised; what nobody expected is the mistake of ours."""
    match error:
        case GuichetError():
            return error
        case HTTPException(status_code=404):
            return NotFound()
        case HTTPException(status_code=405):
            return MethodNotAllowed()
        case HTTPException(status_code=413):
            return TooLarge()
        case HTTPException(status_code=status) if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return MalformedRequest()
        case TimeoutError() | OSError():
            return Unavailable()
        case _:
            return GuichetError()
