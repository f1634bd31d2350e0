"""Figures of each merchant: what they are, counted by workers, and read by the console."""
