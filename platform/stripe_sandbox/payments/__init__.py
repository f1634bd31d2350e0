"""Payments: cards, intents, charges and refunds, 3-D Secure and Checkout."""
