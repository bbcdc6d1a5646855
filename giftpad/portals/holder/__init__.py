"""The page of whoever holds a coupon: what is left, until when, where."""
