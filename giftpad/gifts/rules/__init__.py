"""Gifts as plain values: contracts, orders, recipients, what becomes of each."""
