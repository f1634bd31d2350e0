"""The settings of a portal: a page for each section of the draft."""
