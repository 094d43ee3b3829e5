"""Inline SVG of the cohort page, one kind of picture per file."""
