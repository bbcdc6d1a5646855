"""Builders of a catalogue: a course and products in a few words, through its door."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from PIL import Image

from giftpad import catalog, sheets, tenancy
from giftpad.catalog import handlers
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work

HEADER = "code,name,kind,category,supplier,price,lead_days,courses,stock,daily_limit"
TABLE = b"code,name,price\nNEW,x,1\nBAD,x,free\n"
"""A file of products in which one is right and one is not."""
LONG_AGO, FAR = date(2020, 1, 1), date(2099, 12, 31)


@dataclass(kw_only=True)
class Shelf:
    """A tenant's catalogue with one course of 5,000 yen."""

    scope: Scope
    course_id: UUID

    def put(self, *rows: str, header: str = HEADER) -> None:
        """Take products as a file of these lines says, which must be right."""
        read = read_rows(*rows, header=header)
        assert read.faults == ()
        with unit_of_work(self.scope) as work:
            good, faults = catalog.judge_products(work, read.products)
            assert faults == []
            catalog.take_products(work, good)

    def product(self, code: str) -> catalog.ProductView:
        """Return a product as it is now."""
        with unit_of_work(self.scope) as work:
            return catalog.get_product(work, catalog.find_product_ids(work, [code])[code])

    def variant(self, code: str, product: str = "") -> catalog.VariantView:
        """Return a variant as it is now."""
        variants = self.product(product or code).variants
        return next(each for each in variants if each.code == code)

    def taking(self, for_id: UUID, code: str, *, product: str = "", prefecture: str = "東京都"):
        """Choose a variant for somebody."""
        return catalog.Taking(
            for_id=for_id,
            course_id=self.course_id,
            variant_id=self.variant(code, product).id,
            prefecture=prefecture,
        )

    def take(self, for_id: UUID, code: str, **where: str) -> catalog.Taken:
        """Keep one of a variant for somebody."""
        taking = self.taking(for_id, code, **where)
        with unit_of_work(self.scope) as work:
            return catalog.take(work, taking)


def read_rows(*rows: str, header: str = HEADER, **more) -> catalog.ReadProducts:
    """Read lines as a file of products."""
    data = "\n".join([header, *rows, ""]).encode()
    return catalog.read_products(sheets.read_sheet(data), **more)


def make_course(scope: Scope, code: str = "C5000", price_minor: int = 5000) -> UUID:
    """Make a course."""
    facts = catalog.CourseFacts(
        code=code,
        names={"ja": f"{price_minor}円コース"},
        price_minor=price_minor,
        unit="JPY",
        starts_on=LONG_AGO,
        ends_on=FAR,
    )
    with unit_of_work(scope) as work:
        return catalog.add_course(work, facts)


def make_shelf(scope: Scope) -> Shelf:
    """Make a catalogue with an empty course."""
    assert tenancy.get_tenant(scope.tenant_id)
    return Shelf(scope=scope, course_id=make_course(scope))


def make_picture(width: int = 1200, height: int = 900, kind: str = "PNG", **save) -> bytes:
    """Draw a picture that is red on the left and blue on the right."""
    drawn = Image.new("RGB", (width, height), "red")
    drawn.paste("blue", (width // 2, 0, width, height))
    out = io.BytesIO()
    drawn.save(out, kind, **save)
    return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class Goods:
    """One of each thing that a catalogue has."""

    course_id: UUID
    product: catalog.ProductView
    digital: catalog.ProductView
    import_id: UUID


def fill_catalogue(scope: Scope) -> Goods:
    """Give a tenant a course, products, something taken of them, and a file with a fault."""
    shelf = Shelf(scope=scope, course_id=make_course(scope, "C8000", 8000))
    shelf.put("TEA,茶,,,,,,C8000,9,9", "CARD,札,digital,,,,,C8000,,")
    with unit_of_work(scope) as work:
        catalog.add_codes(work, shelf.variant("CARD").id, [f"{scope.tenant_id.hex}-1"])
    for code in ("TEA", "CARD"):
        shelf.take(new_id(), code)
    catalog.add_picture(scope, "tea.png", make_picture())
    return Goods(
        course_id=shelf.course_id,
        product=shelf.product("TEA"),
        digital=shelf.product("CARD"),
        import_id=check_table(scope),
    )


def check_table(scope: Scope) -> UUID:
    """Hand in a file of products and have it checked."""
    with catalog.kept_file(scope, "products.csv", TABLE) as kept, unit_of_work(scope) as work:
        import_id = catalog.order_import(work, kept)
    handlers.check_import(scope, catalog.CatalogImportOrdered(object_id=import_id))
    return import_id
