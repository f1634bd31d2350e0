"""A failed payment's rows: opened, read, claimed, written, and what follows from them."""
