"""Credits: amounts are whole hundredths, every movement debits one account and credits another (M1-M4)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from rules.problems import InsufficientCredits
from rules.terms import AccountKind, CreditMovementKind, Side

HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class Account:
    """An account, seen from a meeting: whose it is, if it is a person's, is said by their side."""

    kind: AccountKind
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """So many hundredths from one account to another."""

    kind: CreditMovementKind
    debited: Account
    credited: Account
    amount: int


NO_MOVEMENTS: tuple[Movement, ...] = ()
USER_AVAILABLE = Account(AccountKind.AVAILABLE, Side.USER)
USER_BLOCKED = Account(AccountKind.BLOCKED, Side.USER)
EXPERT_AVAILABLE = Account(AccountKind.AVAILABLE, Side.EXPERT)
EXPERTIM = Account(AccountKind.EXPERTIM)


def block(price: int, *, available: int) -> tuple[Movement, ...]:
    """Set the price aside on the user's account; too few available credits and nothing happens (P1, A1)."""
    if available < price:
        raise InsufficientCredits(required=price, available=available)
    return recorded(Movement(CreditMovementKind.BLOCK, USER_AVAILABLE, USER_BLOCKED, price))


def unblock(price: int) -> tuple[Movement, ...]:
    """Give the user back what was set aside (A3, K1)."""
    return recorded(Movement(CreditMovementKind.UNBLOCK, USER_BLOCKED, USER_AVAILABLE, price))


def recorded(*movements: Movement) -> tuple[Movement, ...]:
    """Movements of nothing are not recorded (M4)."""
    return tuple(movement for movement in movements if movement.amount)


def share(amount: int, percent: int) -> int:
    """So many percent of an amount, rounded half up to a hundredth; the rest is exactly what is left (M3)."""
    return int((Decimal(amount * percent) / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
