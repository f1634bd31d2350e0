"""What a customer has and may change: plans, subscriptions, payment methods, invoices."""
