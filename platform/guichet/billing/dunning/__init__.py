"""Failed payments: followed, tried again by the merchant's policy, and ended. Nothing twice."""
