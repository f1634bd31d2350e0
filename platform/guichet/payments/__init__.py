"""The payment providers: one port in our words, and the adapters that speak theirs."""
