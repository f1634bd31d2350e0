"""A merchant's own CSS: read into a tree of what is allowed, and written anew within its scope.

Nothing that was typed is copied. What comes out is made of rules, declarations and tokens that are
known here; each selector begins at `.portal-page`, the box of a portal's page; and nothing in it
can load or name a thing outside. What is not allowed is refused with its line.
"""
