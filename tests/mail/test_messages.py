"""A notification as an e-mail, taken apart again as mail programs do (N)."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest

from mail.addresses import Unmailable
from mail.messages import CalendarPart, compose
from rules.mailing import ALWAYS_MAILED
from rules.terms import Language, NotificationKind
from tests.mail.letters import letter
from tests.mail.server import SENDER, part
from texts.mails import KINDS
from texts.notifications import Text

HOSTILE = [
    "Robert\r\nBcc: everybody@example.com",
    "Robert\n\nnot the body yet",
    "<script>alert(1)</script>",
    '"Quoted", (comment) <angle@example.com>; {{ 7 * 7 }} {% raw %}',
    "Zoë Größe 漢字 🦊 ‏עברית",
    "=?utf-8?q?encoded?= already",
    "=?utf-8?q?x=0D=0ABcc:_everybody@example.com?=",
    f"=?utf-8?q?x=0ABcc:_everybody@example.com?= {'long ' * 30}",
    "x" * 3_000,
    "ü" * 3_000,
    "\\ \t tab",
]


def sent(**changes: Any) -> tuple[bytes, EmailMessage]:
    """The e-mail as it goes over the line, and as it is read."""
    raw = compose(letter(**changes), sender=SENDER).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return raw, message


def test_its_headers_say_who_writes_to_whom_and_that_nobody_need_answer():
    given = letter()
    _, message = sent(id=given.id)
    assert message["From"] == f"Expertim <{SENDER}>"
    assert message["To"] == "uma@example.com"
    assert message["Subject"] == given.text.title
    assert message["Date"] == "Mon, 01 Mar 2027 12:00:00 +0000"
    assert message["Message-ID"] == f"<{given.id}@mail.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert not message.defects


def test_text_and_html_say_the_same_and_lead_to_the_same_place():
    _, message = sent()
    text, html = part(message, "text/plain"), unescape(part(message, "text/html"))
    given = letter()
    for said in (given.text.title, given.text.body, given.url, str(given.unsubscribing_url), "View the meeting"):
        assert said in text
        assert said in html


def test_in_german_all_of_it_is_german():
    title, body = "Emil hat Ihrem Vorschlag zugestimmt", "„Beratung“ ist vereinbart."
    _, message = sent(language=Language.DE, text=Text(title, body))
    assert message["Content-Language"] == "de"
    for said in (part(message, "text/plain"), unescape(part(message, "text/html"))):
        assert "Treffen ansehen" in said
        assert "Sie erhalten diese E-Mail, weil es um eines Ihrer Treffen bei Expertim geht." in said
        assert "„Bestätigte Vorschläge“" in said
        assert "Diese E-Mails nicht mehr erhalten" in said
    assert '<html lang="de">' in part(message, "text/html")


def test_it_can_be_unsubscribed_in_one_click_by_an_address_that_no_folding_breaks():
    url = f"https://api.example.com/unsubscribe/{'x' * 64}"
    raw, message = sent(unsubscribing_url=url)
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_what_is_always_sent_says_so_and_offers_no_way_to_stop_it():
    _, message = sent(kind=NotificationKind.CREDITS_RECEIVED, unsubscribing_url=None)
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None
    for said in (part(message, "text/plain"), part(message, "text/html")):
        assert "always reach you by e-mail" in said
        assert "unsubscribe" not in said


@pytest.mark.parametrize("kind", NotificationKind)
@pytest.mark.parametrize("language", Language)
def test_every_kind_can_be_mailed(kind: NotificationKind, language: Language):
    always = {"unsubscribing_url": None} if kind in ALWAYS_MAILED else {}
    _, message = sent(kind=kind, language=language, **always)
    assert message["Subject"]
    assert kind in KINDS


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_that_people_write_becomes_a_header_or_html(words: str):
    title = f"{' '.join(words.split())} invites you"  # as texts/notifications.py has it
    raw, message = sent(text=Text(title, f"“{words}”"))
    assert message["Subject"].strip() == title.replace("=?", "= ?")  # it may be folded before its first word
    assert message["Bcc"] is None
    assert set(message.keys()) == set(sent()[1].keys())
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert " ".join(words.split()) in " ".join(part(message, "text/plain").split())
    html = part(message, "text/html")
    assert "<script" not in html
    assert " ".join(words.split()) in " ".join(unescape(html).split())


@pytest.mark.parametrize("name", ["Ångström Øyvind Åse", "محمد علي", "Emil 🦊 Müller", "Ä Ö Ü ß", "漢字 太郎 " * 20])
@pytest.mark.parametrize("before", ["", "Credits returned for your meeting with ", "Credits für Ihr Treffen mit "])
def test_between_the_words_of_a_subject_no_space_is_lost(before: str, name: str):
    raw, message = sent(text=Text(f"{before}{name.strip()}", ""))
    assert message["Subject"] == f"{before}{name.strip()}"
    assert max(len(line) for line in raw.partition(b"\r\nDate:")[0].split(b"\r\n")) <= 78


def test_a_line_break_in_what_would_be_a_header_is_refused_and_not_sent():
    with pytest.raises(ValueError, match="Header values may not contain"):
        compose(letter(text=Text("A title\r\nBcc: everybody@example.com", "")), sender=SENDER)


def test_an_address_that_is_none_is_refused():
    with pytest.raises(Unmailable):
        compose(letter(address="uma@example.com\r\nBcc: x@example.com"), sender=SENDER)


def test_a_calendars_part_comes_last_with_its_method():
    calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nX-NAME:Zoë\r\nEND:VCALENDAR\r\n"
    raw = compose(letter(calendar=CalendarPart(calendar, "REQUEST")), sender=SENDER).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    last = list(message.iter_parts())[-1]
    assert last.get_content_type() == "text/calendar"
    assert last["Content-Type"].params == {"charset": "utf-8", "method": "REQUEST"}
    payload = last.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload == calendar.encode()
