"""Which addresses e-mail is sent to, and how servers are told them."""

import pytest

from mail.addresses import Unmailable, mailable


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("uma@example.com", "uma@example.com"),
        (" uma+meetings@example.com ", "uma+meetings@example.com"),
        ("o'neil.x@sub.example.com", "o'neil.x@sub.example.com"),
        ("uma@bücher.example", "uma@xn--bcher-kva.example"),
        ("uma@straße.example", "uma@xn--strae-oqa.example"),
        ("Uma@EXAMPLE.com", "Uma@example.com"),
        ("uma@example.com.", "uma@example.com"),
        ("u=m?a@example.com", "u=m?a@example.com"),
    ],
)
def test_an_address_is_told_with_its_domain_in_ascii(address: str, told: str):
    assert mailable(address) == told


@pytest.mark.parametrize(
    "address",
    [
        "",
        "uma",
        "@example.com",
        "uma@",
        "uma @example.com",
        "uma@exam ple.com",
        "uma@example.com\r\nBcc: everybody@example.com",
        "uma\r\n@example.com",
        "uma@example.com>, <other@example.com",
        "a@b@example.com",
        '"uma"@example.com',
        "müller@example.com",
        "uma..x@example.com",
        "=?utf-8?q?uma?=@example.com",
        "uma@example.com..",
        ".uma@example.com",
        "uma@-example-.com",
        "uma@example..com",
        "uma@[127.0.0.1]",
        "uma\0@example.com",
        f"{'u' * 65}@example.com",
        f"uma@{'.'.join(['x' * 60] * 5)}",
    ],
)
def test_what_is_no_address_is_sent_nothing(address: str):
    with pytest.raises(Unmailable):
        mailable(address)
