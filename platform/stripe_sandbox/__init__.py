"""A Stripe that runs on this machine, for demos, tests and a merchant's trial."""
