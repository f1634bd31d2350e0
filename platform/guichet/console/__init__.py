"""The console: where merchants shape their portals, and agencies run many of them."""
