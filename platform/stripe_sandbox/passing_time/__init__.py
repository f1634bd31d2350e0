"""Passing time: test clocks, billing periods, and what falls due."""
