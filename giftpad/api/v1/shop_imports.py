"""Files of shops: handed in, checked and taken by a job, with every fault by its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask.views import MethodView
from marshmallow import Schema, fields

from giftpad import shops
from giftpad.api.http import Blueprint, answer, idempotent
from giftpad.edge import (
    BodyTypeUnread,
    body_limit,
    current_locale,
    current_scope,
    requires,
    write_line,
)
from giftpad.kernel.i18n import mark, translate
from giftpad.kernel.work import Scope, unit_of_work

BODY_MAX = shops.IMPORT_SIZE_MAX + 64 * 1024
"""A file and the frame that a form puts around it."""

FAULTS_SHOWN = 100
_HEADER = (mark("Line"), mark("Column"), mark("What is wrong"), mark("What to do"))

blp = Blueprint("shop_imports", __name__, description="Files of shops")


class ImportQuerySchema(Schema):
    """How a file is taken."""

    is_partial = fields.Boolean(
        data_key="partial",
        load_default=False,
        metadata={"description": "Take the good lines although others have faults"},
    )
    is_dry = fields.Boolean(
        data_key="dry_run",
        load_default=False,
        metadata={"description": "Check the file and take nothing"},
    )


class FaultSchema(Schema):
    """One thing wrong with one cell; an empty column means the whole line."""

    line = fields.Integer(required=True)
    column = fields.String(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
    remedy = fields.String(required=True)


class ImportSchema(Schema):
    """How far an import is; ``errors`` holds the first of its faults."""

    id = fields.UUID(required=True)
    state = fields.String(
        required=True,
        metadata={"enum": ["ordered", "checking", "taking", "done", "refused"]},
    )
    progress = fields.Float(required=True)
    is_partial = fields.Boolean(required=True, data_key="partial")
    is_dry = fields.Boolean(required=True, data_key="dry_run")
    good_count = fields.Integer(required=True)
    bad_count = fields.Integer(required=True)
    error_count = fields.Integer(required=True, attribute="fault_count")
    enrolled_count = fields.Integer(required=True)
    changed_count = fields.Integer(required=True)
    unchanged_count = fields.Integer(required=True)
    created_at = fields.DateTime(required=True)
    finished_at = fields.DateTime(required=True, allow_none=True)


class ImportDetailSchema(ImportSchema):
    """How far an import is, with the first of its faults."""

    errors = fields.List(fields.Nested(FaultSchema), required=True)


def _in_words(fault: shops.LineFault, locale: str) -> dict[str, object]:
    params = dict(fault.params)
    if "known" in params:
        params["known"] = ", ".join(shops.column_names(locale).values())
    detail, remedy = (
        translate(sentence, locale, **params) for sentence in shops.SENTENCES[fault.code]
    )
    column = shops.column_names(locale).get(fault.column, fault.column)
    return {
        "line": fault.line,
        "column": column,
        "code": fault.code,
        "detail": detail,
        "remedy": remedy,
    }


def _file() -> bytes:
    """Return the file of this request: its body as text/csv, or the part ``file`` of a form."""
    # Read as a whole first: the hash of an idempotency key covers the body, form or not.
    body = request.get_data(cache=True)
    if request.mimetype == "text/csv":
        return body
    if request.mimetype == "multipart/form-data":
        part = request.files.get("file")
        return part.stream.read() if part is not None else b""
    raise BodyTypeUnread(accepted="text/csv, multipart/form-data")


_CSV_FILE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
}


@blp.route("/shop-imports")
class ShopImports(MethodView):
    """Files of shops."""

    @requires("shops:write")
    @body_limit(BODY_MAX)
    @blp.arguments(ImportQuerySchema, location="query")
    @blp.doc(
        requestBody={
            "required": True,
            "content": {"text/csv": _CSV_FILE, "multipart/form-data": _FORM},
        }
    )
    @blp.response(202, ImportSchema)
    @blp.alt_response(422)
    def post(self, query: dict[str, Any]) -> Response:
        """Hand in a CSV file of shops, in UTF-8 or Shift_JIS; one fault keeps all of it out.

        The first line names the columns, in English or Japanese.  Known numbers are changed,
        new ones enrolled.
        """
        data, scope = _file(), current_scope()
        with shops.kept_file(scope, data) as kept, unit_of_work(scope) as work:

            def order() -> shops.ImportView:
                import_id = shops.order_import(
                    work, kept, is_partial=query["is_partial"], is_dry=query["is_dry"]
                )
                return shops.get_import(work, import_id)

            response = idempotent(work, order, schema=ImportSchema(), status=202, required=False)
        import_id = (response.get_json() or {})["id"]
        response.headers["Location"] = url_for("shop_imports.OneShopImport", import_id=import_id)
        return response


@blp.route("/shop-imports/<uuid:import_id>")
class OneShopImport(MethodView):
    """One file of shops."""

    @requires("shops:write")
    @blp.response(200, ImportDetailSchema)
    @blp.alt_response(404)
    def get(self, import_id: UUID) -> Response:
        """Return how far an import is and the first of its faults."""
        locale = current_locale()
        with unit_of_work(current_scope()) as work:
            view = shops.get_import(work, import_id)
            faults = shops.list_faults(work, import_id, limit=FAULTS_SHOWN)
        body = ImportSchema().dump(view)
        return answer(body | {"errors": [_in_words(fault, locale) for fault in faults]})


@blp.route("/shop-imports/<uuid:import_id>/errors.csv")
class ShopImportErrors(MethodView):
    """Every fault of one file."""

    @requires("shops:write")
    @blp.response(200, {"type": "string"}, content_type="text/csv")
    @blp.alt_response(404)
    def get(self, import_id: UUID) -> Response:
        """Return every fault as a CSV file for a spreadsheet."""
        scope, locale = current_scope(), current_locale()
        with unit_of_work(scope) as work:
            shops.get_import(work, import_id)
        pages = _fault_lines(scope, import_id, locale)
        headers = {"Content-Disposition": f'attachment; filename="errors-{import_id}.csv"'}
        return Response(pages, mimetype="text/csv", headers=headers)


def _fault_lines(scope: Scope, import_id: UUID, locale: str) -> Iterator[str]:
    """Write the faults page by page; no transaction stays open while a slow reader reads."""
    yield "\ufeff" + write_line([translate(name, locale) for name in _HEADER])
    seq = 0
    while True:
        with unit_of_work(scope) as work:
            page = shops.list_faults(work, import_id, after_seq=seq)
        if not page:
            return
        seq += len(page)
        rows = (_in_words(fault, locale) for fault in page)
        yield "".join(
            write_line([str(row[key]) for key in ("line", "column", "detail", "remedy")])
            for row in rows
        )
