"""A tenant's own paper: a whole template that replaces the house's, checked with the pack."""

from __future__ import annotations

import shutil

import pytest

from giftpad import tenancy
from tests.make_packs import HOUSE, change, copy_pack, load

TEMPLATES = HOUSE.parent / "print_templates"


@pytest.fixture
def pack(house, tmp_path):
    folder = copy_pack(tmp_path)
    shutil.copytree(TEMPLATES / "coupon_a4_8up", folder / "print" / "coupon_a4_8up")
    return folder


def test_a_pack_may_bring_its_own_template(pack):
    assert load(pack).sections["print"] == ("coupon_a4_8up",)


def test_a_programme_may_name_a_template_of_its_pack_only_while_it_is_there(pack):
    own = pack / "print" / "coupon_own"
    (pack / "print" / "coupon_a4_8up").rename(own)
    change(pack, "programmes/kurashi.toml", '"coupon_a4_8up"', '"coupon_own"')
    assert load(pack).sections["print"] == ("coupon_own",)
    shutil.rmtree(own)
    with pytest.raises(tenancy.PackBroken, match=r"kurashi\.toml:\d+: .*no print template"):
        load(pack)


def test_a_broken_template_refuses_the_pack_and_names_its_file(pack):
    change(pack, "print/coupon_a4_8up/layout.json", '"qr"', '"qrr"')
    with pytest.raises(tenancy.PackBroken) as refused:
        load(pack)
    assert "print/coupon_a4_8up/layout.json" in str(refused.value.problems[0])
