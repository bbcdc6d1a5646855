"""The demonstration is the product's main job; it must fail where the product does."""

from __future__ import annotations


def test_the_town_s_day_goes_as_promised(product):
    shown = product.must("demo")
    assert "200 different, readable QR codes" in shown
    assert "the books agree" in shown
    assert "outside the area" in shown


def test_the_company_s_morning_goes_as_promised(product):
    shown = product.must("demo", "gifts")
    assert "3 named with row and remedy" in shown
    assert "the sender reads it" in shown
    assert "the canteen takes ¥800; ¥" in shown
    assert "another decoder reads its code" in shown
    assert "the sender sees both claimed, one of them used in a shop" in shown
    assert "the books agree" in shown


def test_the_demonstration_fails_without_the_web_server(product):
    product.environment["GIFTPAD_PORT"], port = "1", product.environment["GIFTPAD_PORT"]
    try:
        done = product.run("demo")
    finally:
        product.environment["GIFTPAD_PORT"] = port
    assert done.returncode != 0
    assert "does not answer" in done.stderr
