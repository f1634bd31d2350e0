"""Who may enter: sessions, sign-in with a merchant's identity provider, and forged forms."""
