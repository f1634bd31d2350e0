"""Invoices: their items and lines, their lives, their credit notes and papers."""
