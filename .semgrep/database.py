"""What the rules of database.yml find, and what they leave alone."""

import sqlalchemy as sa
from flask import request

TABLE = "shop_shops"
COUNT = sa.text(f"SELECT count(*) FROM {TABLE} WHERE tenant_id = :tenant")


def find(work, name, table):
    # ruleid: sql-built-from-values
    work.session.execute(f"SELECT * FROM shop_shops WHERE name = '{name}'")
    # ruleid: sql-built-from-values
    work.session.execute("SELECT * FROM shop_shops WHERE name = '%s'" % name)
    # ruleid: sql-built-from-values
    work.session.execute("SELECT * FROM {}".format(table))
    # ruleid: sql-built-from-values
    work.session.execute("SELECT * FROM shop_shops ORDER BY " + name)
    # ruleid: sql-built-from-values
    statement = sa.text(f"SELECT * FROM {table}")
    # ok: sql-built-from-values
    work.session.execute(COUNT, {"tenant": work.tenant_id})
    # ok: sql-built-from-values
    work.session.execute(sa.text("SELECT * FROM shop_shops WHERE name = :name"), {"name": name})
    return statement


def search(work):
    wanted = request.args["sort"]
    order = f"SELECT * FROM shop_shops ORDER BY {wanted}"
    # ruleid: sql-with-a-request-in-it
    work.session.execute(order)
    # ok: sql-with-a-request-in-it
    work.session.execute(sa.text("SELECT * FROM shop_shops WHERE name = :n"), {"n": wanted})
