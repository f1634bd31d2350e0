"""Charges: written down before they are asked for, and what became of them."""
