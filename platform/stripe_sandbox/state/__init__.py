"""State: what an account holds, changed all or nothing, and how it is found again."""
