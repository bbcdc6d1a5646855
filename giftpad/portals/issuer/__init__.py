"""The desk of an issuer: what the staff of a town or a company look after."""
