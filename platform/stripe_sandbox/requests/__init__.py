"""Requests: read, bounded, answered once, and refused in Stripe's words."""
