"""The way out for e-mail that the settings name."""

from pathlib import Path

import pytest

from mail.choosing import chosen_mailer
from mail.maildir import Maildir
from mail.smtp import Smtp
from settings import Settings


def settings(url: str | None) -> Settings:
    return Settings("postgres://localhost", "redis://localhost", smtp_url=url, mail_from="noreply@example.com")


def test_without_a_server_it_is_kept_in_a_folder():
    assert chosen_mailer(settings(None)) == Maildir(Path(".data/mail"))


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("smtp://mail.example.com", Smtp("mail.example.com", "noreply@example.com")),
        (
            "smtp://expertim:pass%20word@mail.example.com:2525?starttls",
            Smtp("mail.example.com", "noreply@example.com", 2525, "expertim", "pass word", starttls=True),
        ),
        (
            "smtps://a%40b:c@mail.example.com",
            Smtp("mail.example.com", "noreply@example.com", None, "a@b", "c", tls=True),
        ),
    ],
)
def test_a_server_is_spoken_with_as_its_address_says(url: str, named: Smtp):
    assert chosen_mailer(settings(url)) == named
