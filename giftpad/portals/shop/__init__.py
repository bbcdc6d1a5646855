"""The shop's phone: read a coupon, take an amount, see today."""
