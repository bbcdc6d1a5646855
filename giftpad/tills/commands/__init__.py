"""Verbs of tablets, by what they are about."""
