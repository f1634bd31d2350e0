"""A whole platform on one machine, with merchants, customers and a year of their invoices."""
