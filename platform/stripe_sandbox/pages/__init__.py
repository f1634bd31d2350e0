"""Pages for people: hosted invoices, Checkout, the bank's page, and the control page."""
