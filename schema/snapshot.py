"""`python -m schema.snapshot` writes schema/schema.graphql; with --check it fails if that is out of date."""

import sys
from pathlib import Path

from schema.root import schema_text

SNAPSHOT = Path(__file__).parent / "schema.graphql"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        SNAPSHOT.write_text(schema_text())
    elif not SNAPSHOT.exists() or SNAPSHOT.read_text() != schema_text():
        sys.exit("schema/schema.graphql is out of date: run `python -m schema.snapshot`")
