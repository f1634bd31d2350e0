"""Publishing: what would change, the versions there were, and a configuration as a file."""
