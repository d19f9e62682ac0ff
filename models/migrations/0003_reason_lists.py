"""The reasons to choose from at the start; staff keep the lists from then on."""

from tortoise import migrations
from tortoise.migrations import operations as ops

REASONS = {
    "REJECTION": [
        ("TIME_DOES_NOT_SUIT", "The time does not suit me", "Der Zeitpunkt passt mir nicht"),
        ("TOO_SHORT_NOTICE", "It is too short notice", "Es ist zu kurzfristig"),
        ("OUTSIDE_MY_EXPERTISE", "The topic is outside my expertise", "Das Thema liegt außerhalb meines Fachgebiets"),
        ("PRICE_DOES_NOT_SUIT", "The price does not suit me", "Der Preis passt mir nicht"),
        ("LENGTH_DOES_NOT_SUIT", "The length does not suit me", "Die Dauer passt mir nicht"),
        ("NO_LONGER_NEEDED", "I no longer need the meeting", "Ich brauche das Treffen nicht mehr"),
        ("OTHER", "Another reason", "Ein anderer Grund"),
    ],
    "CANCELLATION": [
        ("ILLNESS", "I am ill", "Ich bin krank"),
        ("URGENT_MATTER", "Something urgent came up", "Mir ist etwas Dringendes dazwischengekommen"),
        ("SCHEDULING_MISTAKE", "I made a mistake with the date", "Ich habe mich beim Termin geirrt"),
        ("TECHNICAL_PROBLEMS", "I have technical problems", "Ich habe technische Probleme"),
        ("NO_LONGER_NEEDED", "I no longer need the meeting", "Ich brauche das Treffen nicht mehr"),
        ("FOUND_ANOTHER_SOLUTION", "I found another solution", "Ich habe eine andere Lösung gefunden"),
        ("OTHER", "Another reason", "Ein anderer Grund"),
    ],
}


def rows() -> str:
    return ", ".join(
        f"(gen_random_uuid(), '{kind}', '{code}', '{english}', '{german}', TRUE, {place})"
        for kind, entries in REASONS.items()
        for place, (code, english, german) in enumerate(entries, start=1)
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0002_constraints")]

    operations = [
        ops.RunSQL(
            f"INSERT INTO reason (id, kind, code, label_en, label_de, active, place) VALUES {rows()};",
            reverse_sql="DELETE FROM reason;",
        )
    ]
