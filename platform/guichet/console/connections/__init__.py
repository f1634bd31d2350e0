"""What a merchant's portal is connected with: the provider, own domains, sign-in providers."""
