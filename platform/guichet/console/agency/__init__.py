"""An agency's workspace: its merchants and its members."""
