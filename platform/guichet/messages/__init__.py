"""Mails to customers in their merchant's brand: queued, written, sent once, and kept account of."""
