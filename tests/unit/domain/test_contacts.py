"""Names and e-mail addresses, as people write and paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.domain import contacts


@pytest.mark.parametrize(
    "name",
    [
        "李小龍",
        "Владимир Путинцев",
        "محمد علی",
        "می\u200cخواهم",
        "שרה כהן",
        "สมชาย ใจดี",
        "अनुष्का",
        "O’Neill-Łukasz",
        "Ng",
        "１－２－３",
    ],
)
def test_a_name_of_any_script_stays_as_it_is(name: str) -> None:
    assert contacts.tidy(name) == name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u202aAda\u202c \u00a0Lovelace\u200b", "Ada Lovelace"),
        ("\ufeffAda\tLovelace\r\n", "Ada Lovelace"),
        ("Zoe\u0308", "Zoë"),
        ("soft\u00adhyphen", "softhyphen"),
        ("12½ Main St", "12½ Main St"),
    ],
)
def test_invisible_characters_are_removed(typed: str, kept: str) -> None:
    assert contacts.tidy(typed) == kept


@given(st.text(max_size=40))
def test_tidy_text_is_one_printable_line_and_stays_so(typed: str) -> None:
    kept = contacts.tidy(typed)

    assert contacts.tidy(kept) == kept
    assert not {"\n", "\r", "\0", "\u2028"} & set(kept)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ada@\u200bexample.com", "ada@example.com"),
        ("\u202aada@example.com\u202c", "ada@example.com"),
        (" Ada Lovelace <ada@example.com> ", "ada@example.com"),
        ("mailto:ada@example.com", "ada@example.com"),
        ("ada@example.com.", "ada@example.com"),
        ("ada@example\u3002com", "ada@example.com"),
        ("Xavier@example.com", "Xavier@example.com"),
        ("ada @ example . com", "ada@example.com"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ada@example.com"),
        ("Ada+shop@Example.COM", "Ada+shop@example.com"),
        ("o'neill@example.com", "o'neill@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@例え。jp", "ada@xn--r8jz45g.jp"),
    ],
)
def test_an_email_address_is_read_as_it_was_meant(typed: str, address: str) -> None:
    assert contacts.email(typed) == address
    assert contacts.email(contacts.email_as_read(address)) == address


@pytest.mark.parametrize("typed", ["ada@", "@example.com", "ada lovelace@example.com", "ada@localhost", "a@b.c,d@e.f"])
def test_an_invalid_email_address_is_refused(typed: str) -> None:
    with pytest.raises(contacts.NotAnEmail):
        contacts.email(typed)


@pytest.mark.parametrize("typed", ["jörg@example.com", "jörg@bücher.example", "用户@example.com"])
def test_an_email_address_that_not_every_server_passes_on_is_refused(typed: str) -> None:
    with pytest.raises(contacts.LocalPartNotAscii):
        contacts.email(typed)


@given(local=st.emails())
def test_an_email_address_that_was_taken_is_taken_again_as_it_is(local: str) -> None:
    try:
        kept = contacts.email(local)
    except contacts.NotAnEmail:
        return

    assert contacts.email(kept) == kept


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("ada@gmail.con", "ada@gmail.com"),
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmail.co", "ada@gmail.com"),
        ("ada@yaho.com", "ada@yahoo.com"),
        ("ada@hotmial.com", "ada@hotmail.com"),
        ("ada@example.con", "ada@example.com"),
    ],
)
def test_a_typing_mistake_in_an_email_address_is_noticed(address: str, meant: str) -> None:
    assert contacts.likely_email(address) == meant


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "mail.com", "gmx.net", "hotmail.be", "yahoo.ca", "outlook.fr", "till.co", "example.com", "me.com"],
)
def test_a_domain_that_resembles_another_is_accepted(domain: str) -> None:
    assert contacts.likely_email(f"ada@{domain}") is None
