"""The outer edge of the web: hosts, health, headers, and errors that belong to no tenant."""
