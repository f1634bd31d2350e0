"""Who belongs to a workspace: the list, invitations, roles, and who goes."""
