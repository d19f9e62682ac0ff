"""What stands on a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's title, and what it says below; facts may stand in it, as `say` puts them in place."""

    title: str
    text: str
