"""What Giftpad does to a payment, a look-up, a sheet of coupons: measured against the same machine.

Nothing here knows the product's code: it is started by its command line, asked over HTTP, and what
it has written is counted past it, in its database, as the administrator.  A ratio counts, taken in
one run against a peer on the same machine; seconds and rates are printed beside it.
"""
