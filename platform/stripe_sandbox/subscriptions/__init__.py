"""Subscriptions: begun, changed, paused, renewed and ended, with their prorations."""
