"""Packs: those of the house are good, and whatever is wrong is told with its file and line."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from giftpad import ledger, programmes, shops, tenancy
from giftpad.kernel.db import database
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tenancy.rules import colours
from tests.make_packs import HOUSE, apply, change, copy_pack, load

KURASHI = "programmes/kurashi.toml"


@pytest.mark.parametrize("slug", ["midori-city", "hanamaru"])
def test_the_packs_of_the_house_are_good(slug):
    pack = load(HOUSE / slug)
    assert pack.slug == slug
    assert pack.theme["--brand"].startswith("#")
    assert ("ja", "about") in pack.texts
    roles = {person.role for person in pack.sections["people"]}
    assert {"owner", "issuer", "approver", "support", "viewer", "shop_owner", "clerk"} == roles


# file, what is replaced, by what, the line named or a text in it, words of fault and remedy
BROKEN = [
    ("tenant.toml", 'kind = "municipal"', 'kind = "town"', 'kind = "town"', "Write one of: munic"),
    ("tenant.toml", 'kind = "municipal"\n', "", "# 架空", '"kind" is missing. Add kind ='),
    ("tenant.toml", 'zone = "Asia/Tokyo"', 'zone = "Asia/Tokio"', "Tokio", "such as Asia/Tokyo"),
    ("tenant.toml", "format = 1", "format = 2", "format = 2", "between 1 and 1"),
    ("tenant.toml", 'slug = "midori-city"', 'slug = "other"', 'slug = "other"', '"midori-city"'),
    ("tenant.toml", "[contact]", "colour = 1\n[contact]", "colour = 1", "Remove it or correct"),
    ("tenant.toml", 'features = ["coupons"]', 'features = ["cupons"]', "cupons", "Write only"),
    (
        "tenant.toml",
        'en = "Midori City (fictional)"',
        "en = 5",
        "en = 5",
        "is not a text in quotes",
    ),
    ("tenant.toml", 'phone = "00-0000-0100"', 'phone = "call us"', "call us", "digits and hyphens"),
    ("tenant.toml", 'locale = "ja"', 'locale = "ja', 'locale = "ja', "This is not TOML"),
    (KURASHI, "ceiling_minor = 5000", "ceiling_minor = 0", "ceiling_minor = 0", "between 1 and"),
    (KURASHI, "ceiling_minor = 5000", "ceiling_minor = 50.5", "50.5", "not a whole number"),
    (KURASHI, "ends_on = 2036-03-31", "ends_on = 2020-03-31", "ends_on = 2020", "ends before"),
    (KURASHI, "ends_on = 2036-03-31", "ends_on = 2036-02-30", "2036-02-30", "This is not TOML"),
    (KURASHI, "months = 5", "months = 5\ndays = 3", "[validity]", "exactly one"),
    (KURASHI, 'unit = "JPY"', 'unit = "YEN"', 'unit = "YEN"', "Write one of: JPY."),
    (KURASHI, 'unit = "JPY"', 'unit = "EUR"', 'unit = "EUR"', "Write one of: JPY."),
    (KURASHI, 'unit = "JPY"', 'unit = "USD"', 'unit = "USD"', "Write one of: JPY."),
    (KURASHI, 'serial_prefix = "KO"', 'serial_prefix = "ko"', '"ko"', "capitals and digits"),
    (KURASHI, 'slug = "kurashi"', 'slug = "kurasi"', "kurasi", "the name of the file"),
    (KURASHI, "face_value_max_minor = 10000", "face_value_max_minor = 9", "max_minor = 9", "below"),
    (
        KURASHI,
        'areas = ["中央地区", "北地区"]',
        'areas = [\n"a",\n"x = 1",\n""]',
        "areas",
        "not such",
    ),
    (KURASHI, '  "みどり市内', '  # [x]\n  "みどり市内",\n  "",\n  "', "ja = [", "not such"),
    (
        KURASHI,
        '"coupon_a4_8up"',
        '"coupon_a9"',
        "coupon_a9",
        "Write one of: coupon_a4_8up, coupon_si",
    ),
    (KURASHI, '  "みどり市内', '  "😀みどり市内', "ja = [", "holds 😀 (U+1F600), which cannot be"),
    ("programmes/miraikko.toml", '"MK"', '"KO"', '"KO"', "that of kurashi already"),
    ("people.toml", 'role = "issuer"', 'role = "boss"', "boss", "Write one of: owner"),
    ("people.toml", 'shop = "1001"\n', "", 27, '"shop" is missing'),
    ("people.toml", "owner@midori.example", "owner@midori.jp", "midori.jp", "ends in .example"),
    ("shops.csv", "地区,区分", "地域,区分", "地域,区分", "no column called 地域"),
    ("shops.csv", "00-0000-1003", "1003", "みどり鮮魚", "phone: 1003 is no telephone number"),
    ("shops.csv", "1003,みどり", "1001,みどり", "1001,みどり", "stands in line 2 already"),
    ("theme.css", "--brand: #1F6F43;", "--brand: green;", "green", "It must be a colour"),
    (
        "theme.css",
        "#1F6F43;",
        "#1F6F43;\n  --brand-tint: #7AA88B;",
        "--brand-tint",
        "the brand colour on it has a contrast of 2.29",
    ),
    ("theme.css", "--brand: #1F6F43;", "--brand-line: #1F6F43;", "--brand-line", "is missing"),
    ("theme.css", "}", "}\nbody { display: none }", "body {", "nothing but colour tokens"),
    ("logo.svg", "<title>", "<script>a()</script><title>", "<script>", "not allowed in a logo"),
    ("logo.svg", 'fill="#FFFFFF"', 'onload="a()"', "onload", '"onload" is not allowed'),
    ("logo.svg", "</svg>", "", 7, "This is not SVG"),
]


@pytest.mark.parametrize(("file", "old", "new", "marker", "words"), BROKEN)
def test_a_broken_pack_is_refused_with_file_and_line(tmp_path, file, old, new, marker, words):
    folder = copy_pack(tmp_path)
    change(folder, file, old, new)
    with pytest.raises(tenancy.PackBroken) as caught:
        load(folder)
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    problem = next(p for p in caught.value.problems if words in f"{p.fault} {p.remedy}")
    expected = marker
    if not isinstance(marker, int):
        expected = next(n for n, text in enumerate(lines, 1) if marker in text)
    assert (problem.file, problem.line) == (f"midori-city/{file}", expected)
    assert problem.remedy
    assert f"midori-city/{file}:{expected}: " in str(caught.value)


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("hook.py", b"import os", "no place in a pack"),
        ("programmes/extra.py", b"", "no place in a pack"),
        ("texts/ja/abuot.md", b"x", "No page shows"),
        ("texts/fr/about.md", b"x", "No page shows"),
        ("texts/ja/privacy.md", b"  \n", "The text is empty"),
        ("texts/ja/privacy.md", b"a\nb\xff\n", "not UTF-8"),
        ("programmes/kurashi.toml", "slug = 'あ'".encode("cp932"), "not UTF-8"),
    ],
)
def test_a_file_that_does_not_belong_is_a_problem(tmp_path, path, data, words):
    folder = copy_pack(tmp_path)
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(data)
    with pytest.raises(tenancy.PackBroken, match=words):
        load(folder)


def test_all_problems_of_a_pack_are_told_at_once(tmp_path):
    folder = copy_pack(tmp_path)
    change(folder, "tenant.toml", 'kind = "municipal"', 'kind = "town"')
    change(folder, KURASHI, "months = 5", "months = 0")
    change(folder, "shops.csv", "00-0000-1003", "1003")
    with pytest.raises(tenancy.PackBroken) as caught:
        load(folder)
    assert {p.file.partition("/")[2] for p in caught.value.problems} == {
        "tenant.toml",
        KURASHI,
        "shops.csv",
    }


def test_a_link_and_a_missing_folder_are_refused(tmp_path):
    folder = copy_pack(tmp_path)
    (folder / "secret.md").symlink_to("/etc/hostname")
    with pytest.raises(tenancy.PackBroken, match="no links"):
        load(folder)
    with pytest.raises(tenancy.PackBroken, match="no such folder"):
        load(tmp_path / "nowhere")


def test_a_pack_without_tenant_toml_is_refused(tmp_path):
    folder = copy_pack(tmp_path)
    (folder / "tenant.toml").unlink()
    with pytest.raises(tenancy.PackBroken, match=r"tenant\.toml:1: The file is missing"):
        load(folder)


def test_the_same_pack_twice_changes_nothing(house, tmp_path):
    folder = copy_pack(tmp_path, as_slug="twice-town")
    first, again = apply(folder), apply(folder)
    assert "shops: 8 enrolled" in first.changes
    assert again == tenancy.Applied(slug="twice-town", tenant_id=first.tenant_id, changes=())
    with unit_of_work(Scope(tenant_id=first.tenant_id)) as work:
        assert len(programmes.list_programmes(work).items) == 2
        assert len(shops.list_shops(work, shops.ShopFilter()).items) == 8


def test_a_changed_pack_changes_only_what_it_says(house, tmp_path):
    folder = copy_pack(tmp_path, as_slug="changed-town")
    scope = Scope(tenant_id=apply(folder).tenant_id)
    with unit_of_work(scope) as work:
        before = programmes.find_programme_by_slug(work, "kurashi")
    change(folder, KURASHI, "ceiling_minor = 5000", "ceiling_minor = 4000")
    change(folder, "shops.csv", "青葉ベーカリー", "青葉パン")
    assert apply(folder).changes == ("shops: 1 changed", "programmes: kurashi ceiling_minor")
    with unit_of_work(scope) as work:
        after = programmes.find_programme_by_slug(work, "kurashi")
        shop_id = shops.find_shop_id(work, "1001")
        assert shops.get_shop(work, shop_id).facts.name == "青葉パン"
        assert payments_ceiling(work, after.id) == 4000
    assert (after.id, after.ceiling_minor) == (before.id, 4000)


def payments_ceiling(work, programme_id):
    from giftpad.payments.models import PaymentRules

    return work.session.get(PaymentRules, (work.tenant_id, programme_id)).ceiling_minor


@pytest.mark.parametrize(
    ("file", "old", "new", "error"),
    [
        (KURASHI, 'serial_prefix = "KO"', 'serial_prefix = "KX"', programmes.ProgrammeFixed),
        ("tenant.toml", 'zone = "Asia/Tokyo"', 'zone = "Asia/Seoul"', tenancy.TenantFixed),
        ("tenant.toml", 'kind = "municipal"', 'kind = "corporate"', tenancy.TenantFixed),
    ],
)
def test_what_the_past_depends_on_cannot_change(house, tmp_path, file, old, new, error):
    folder = copy_pack(tmp_path, as_slug=f"fixed-{new[:2]}-{error.__name__.lower()}")
    tenant_id = apply(folder).tenant_id
    change(folder, "tenant.toml", "商工振興課", "産業課")
    change(folder, file, old, new)
    with pytest.raises(error):
        apply(folder)
    tenancy.forget_tenants()
    assert "商工振興課" in tenancy.get_tenant(tenant_id).contact.offices["ja"]


def test_the_first_programme_and_the_first_shop_accept_each_other(house, tmp_path):
    scope = Scope(tenant_id=apply(copy_pack(tmp_path, as_slug="first-town")).tenant_id)
    with unit_of_work(scope) as work:
        programme = programmes.list_programmes(work).items[0]
        found = shops.list_shops(work, shops.ShopFilter()).items
        first, outside = found[0].facts, found[-1].facts
        for kind in ("funding", "breakage"):
            account = ledger.find_account(work, programme.id, kind, programme.id)
            assert account is not None
    assert first.area in programme.areas
    assert set(first.groups) & set(programme.groups)
    assert outside.area not in programme.areas
    assert set(outside.groups) & set(programme.groups)


def test_a_pack_is_audited_once(house, tmp_path):
    from giftpad import audit

    folder = copy_pack(tmp_path, as_slug="audited-town")
    scope = Scope(tenant_id=apply(folder).tenant_id)
    apply(folder)
    with unit_of_work(scope) as work:
        actions = [entry.action for entry in audit.list_entries(work)]
    assert actions == ["tenant.pack_applied"]


def test_a_tenant_wears_the_colours_and_the_logo_of_its_pack(house, tmp_path):
    folder = copy_pack(tmp_path, as_slug="coloured-town")
    tenant_id = apply(folder).tenant_id
    tenant = tenancy.get_tenant(tenant_id)
    assert tenant.theme["light"]["--brand"] == "#1F6F43"
    assert colours.contrast(tenant.theme["dark"]["--brand"], "#2A2521") >= 5
    css, first_hash = tenancy.theme_css(tenant), tenancy.theme_hash(tenant)
    assert "--brand:#1F6F43" in css
    assert "<svg" in tenancy.find_logo(tenant_id)
    change(folder, "theme.css", "#1F6F43", "#F2A6B8")
    (folder / "logo.svg").unlink()
    assert set(apply(folder).changes) == {"theme changed", "logo changed"}
    tenant = tenancy.get_tenant(tenant_id)
    assert tenancy.theme_hash(tenant) != first_hash
    assert colours.contrast("#FFFFFF", tenant.theme["light"]["--brand"]) >= 5
    assert tenancy.find_logo(tenant_id) is None
    (folder / "theme.css").unlink()
    apply(folder)
    assert tenancy.theme_css(tenancy.get_tenant(tenant_id)) == ""


def test_all_tenants_are_found_without_their_logos(house, tmp_path):
    apply(copy_pack(tmp_path, as_slug="light-town"))
    statements = []

    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    engine = database().engine
    sa.event.listen(engine, "before_cursor_execute", note)
    tenancy.forget_tenants()
    tenancy.list_tenants()
    sa.event.remove(engine, "before_cursor_execute", note)
    assert any("FROM tenants" in statement for statement in statements)
    assert not any("logo" in statement for statement in statements)
