"""A merchant's first page: figures, what needs attention, and how far a new portal is."""
