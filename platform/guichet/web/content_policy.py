"""What a page may load, send and be framed by."""


def content_security_policy(
    scripts: str = "'self'",
    forms: str = "'self'",
    frames: str = "",
    framed_by: str = "'none'",
    connects: str = "",
) -> str:
    """Nothing is loaded from elsewhere, nothing runs inline, nobody frames a page.

    Pictures may be served by us alone; a form posts to its own host; a script asks `connects`
    alone, which is nobody unless it is given.
    """
    directives = (
        "default-src 'none'",
        "style-src 'self'",
        f"script-src {scripts}",
        "img-src 'self'",
        *((f"connect-src {connects}",) if connects else ()),
        *((f"frame-src {frames}",) if frames else ()),
        f"form-action {forms}",
        "base-uri 'none'",
        f"frame-ancestors {framed_by}",
    )
    return "; ".join(directives)
