"""Previews: the portal's own pages with a draft and with customers who do not exist."""
