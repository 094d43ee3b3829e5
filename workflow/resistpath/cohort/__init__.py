"""Associations, pairs, survival and many cohorts: what is said of samples together."""
