"""Outbound wires of coupons."""
