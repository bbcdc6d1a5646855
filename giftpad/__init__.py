"""Giftpad: gifts and regional currencies, by link, by app and on paper."""
