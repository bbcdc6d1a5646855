"""Tenancy's pure half: its values, and the reading of a pack."""
