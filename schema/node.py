"""What everything with an id has in common."""

import strawberry


@strawberry.interface
class Node:
    """Something with an id that stays its own."""

    id: strawberry.ID = strawberry.field(description="Opaque; no two things share one, and it never changes.")
