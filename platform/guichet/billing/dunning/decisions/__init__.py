"""What to do next about a failed payment: pure functions of the facts and of the policy."""
