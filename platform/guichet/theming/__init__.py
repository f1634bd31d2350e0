"""The look and the words: themes, branding, contrast, languages, pages."""
