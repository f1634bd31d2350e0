"""Subscription schedules: what a subscription is to be, phase after phase."""
