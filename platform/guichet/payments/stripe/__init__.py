"""Stripe: the one package that imports its SDK, which takes a second or two to load.

So nobody imports this package at the top of a module: `guichet.payments.choose` loads it when the
first client is asked for.
"""
