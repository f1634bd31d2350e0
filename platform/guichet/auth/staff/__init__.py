"""Staff at the console's door: sign-in with the deployment's provider or a mailed link."""
