"""The API's first version: one file of endpoints a domain, each with its blueprint ``blp``."""
