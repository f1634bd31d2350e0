"""Why a sign-in fails, in the customer's words; `reason` among the details is for the log."""

from guichet.errors import GuichetError


class SignInFailed(GuichetError):
    """The sign-in did not work. Please try again."""

    status = 400
    code = "sign_in_failed"

    @property
    def reason(self) -> str:
        """What an operator needs to know; holds no code, token, secret or address."""
        return str(self.details.get("reason", ""))


class SignInExpired(SignInFailed):
    """This sign-in took too long, was used already or was started in another browser. Please
    start again.
    """

    code = "sign_in_expired"


class SignInDeclined(SignInFailed):
    """You did not finish signing in. You can start again whenever you like."""

    code = "sign_in_declined"


class SignInRefused(SignInFailed):
    """The sign-in service did not let you in. Please try again, or ask for help there."""

    status = 403
    code = "sign_in_refused"


class IdentityNotTrusted(SignInFailed):
    """What the sign-in service told us about you could not be verified, so you are not signed
    in. Please try again.
    """

    status = 502
    code = "identity_not_trusted"


class IdentityProviderUnreachable(SignInFailed):
    """The sign-in service does not answer right now. Please try again in a moment."""

    status = 503
    code = "identity_provider_unreachable"


class IdentityProviderMisconfigured(SignInFailed):
    """Signing in is not set up correctly here. Please tell the support of this site."""

    status = 503
    code = "identity_provider_misconfigured"


class EmailNotVerified(SignInFailed):
    """The sign-in service has not confirmed your email address. Please confirm it there, then
    sign in again.
    """

    status = 403
    code = "email_not_verified"


class EmailMissing(SignInFailed):
    """The sign-in service did not tell us your email address. Please allow it to, then sign in
    again.
    """

    status = 403
    code = "email_missing"


class NoAccount(SignInFailed):
    """There is no customer account for your email address here."""

    status = 403
    code = "no_account"

    @property
    def email(self) -> str:
        """The verified address that was looked for."""
        return str(self.details["email"])


class TooManySignIns(SignInFailed):
    """There were too many tries to sign in. Please wait a few minutes and try again."""

    status = 429
    code = "too_many_sign_ins"


class SignInUnavailable(SignInFailed):
    """Signing in is not possible right now. Please try again in a moment."""

    status = 503
    code = "sign_in_unavailable"
