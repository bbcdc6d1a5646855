"""The processes beside the web server: relay, scheduler and job workers, joined by RQ.

Knows: RQ, Redis, queues.  A job carries a hint and no truth: it may be lost and it may come
twice, because what is to be done stands in PostgreSQL (docs/internals/events.md).
"""
