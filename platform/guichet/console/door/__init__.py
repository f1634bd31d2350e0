"""Coming in: sign-in, invitations, and the choice of a workspace."""
