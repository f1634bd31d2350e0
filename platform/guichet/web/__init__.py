"""What the pages of all doors share: forms, errors as pages, and the choice of a language."""
