"""Webhooks: events, the endpoints that want them, and their deliveries."""
