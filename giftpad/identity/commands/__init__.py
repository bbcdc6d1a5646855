"""Verbs of identity, by what they are about."""
