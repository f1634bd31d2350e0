"""Guichet: self-service subscription and billing portals for many merchants."""
