"""How e-mail goes out, by the settings: over SMTP if a server is named, else into a folder."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from mail.maildir import Maildir
from mail.sending import Mailer
from mail.smtp import Smtp
from settings import Settings


def chosen_mailer(settings: Settings) -> Mailer:
    """The way out that the settings name."""
    if settings.smtp_url is None:
        return Maildir(Path(settings.mail_folder))
    url = urlsplit(settings.smtp_url)
    assert url.hostname, "settings have been checked"
    return Smtp(
        host=url.hostname,
        sender=settings.mail_from,
        port=url.port,
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        tls=url.scheme == "smtps",
        starttls=url.query == "starttls",
    )
