"""A merchant's customers as its staff see them."""
