"""Mails of the deployment to its staff: claimed, written, and handed to the deployment's server."""
