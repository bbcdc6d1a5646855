"""What every package may use and what knows none of them.

Knows: transactions, tenants as ids, money, codes, keys, files, time, language, logs.
Hides: SQLAlchemy's engine, the hot connection, the cipher, the file store, the environment.
Does not know: any domain, HTTP, queues.
"""
