"""Customers: who they are, what they owe or are owed, and their tax ids."""
