"""One step of a case, from its claim over the provider's answer to what is settled."""
