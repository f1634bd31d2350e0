"""Provider events: taken in, stored once, and applied later from the provider's present state."""
