"""Amounts as people write them."""

from decimal import Decimal

from babel.numbers import format_decimal

from rules.credits import HUNDREDTHS
from rules.terms import Language


def credits_text(amount: int, language: Language) -> str:
    """Hundredths of a credit as people of this language write them: 1,234.50 or 1.234,50."""
    return format_decimal(Decimal(amount) / HUNDREDTHS, format="#,##0.00", locale=language.lower())
