"""Books of tokens as rows, the same in all SQL stores."""

from cronicorn.domain.calendar import Window
from cronicorn.domain.cells import Row, instant_in, instant_or_none, number_in
from cronicorn.domain.fields import us
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.book import Book
from cronicorn.domain.quota.decision import BudgetTokens


def book_of(row: Row) -> Book:
    """The book in a row of `quota_books`."""
    return Book(
        window=Window(start_at=instant_in(row["start_us"]), end_at=instant_in(row["end_us"])),
        parts={
            budget: BudgetTokens(used=number_in(row[f"{budget}_used"]), reserved=number_in(row[f"{budget}_reserved"]))
            for budget in Budget
        },
        burst_at=instant_or_none(row["burst_us"]),
    )


def entry(budget: Budget, *, used: int = 0, reserved: int = 0) -> dict[str, int]:
    """What is added to the columns of a book when *used* and *reserved* are entered."""
    amounts = {f"{each}_{kind}": 0 for each in Budget for kind in ("used", "reserved")}
    return amounts | {f"{budget}_used": used, f"{budget}_reserved": reserved}


def window_row(tenant_id: str, calendar: str, window: Window) -> dict[str, str | int]:
    """What names the book of a window, and when that ends."""
    return {
        "tenant_id": tenant_id,
        "calendar": calendar,
        "start_us": us(window.start_at),
        "end_us": us(window.end_at),
    }
