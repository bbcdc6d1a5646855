"""The verbs of gifts."""
