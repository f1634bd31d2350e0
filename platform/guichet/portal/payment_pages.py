"""The pages of a payment: what is owed and with what it can be paid, and what became of it."""

from uuid import UUID, uuid4

from litestar.response.base import ASGIResponse

from guichet.errors import Conflict, GuichetError
from guichet.portal.payer import Debt, Payer, read_debt
from guichet.portal.visit import Visit


async def show_pay_page(
    visit: Visit, payer: Payer, error: GuichetError | None = None, told: str | None = None
) -> ASGIResponse:
    """What is owed and why, and what it can be paid with; or that nothing is."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        debt = await read_debt(unit, payer)
    if not debt.is_payable:
        return show_outcome(visit, payer, debt, "paid" if debt.is_paid else "void")
    return visit.page(
        "pay.html",
        status=error.status if error else 200,
        invoice=debt.invoice,
        subscription=debt.subscription,
        amount=debt.invoice.remaining,
        failed=debt.failed,
        choices=debt.choices,
        now=debt.book.now,
        fields={"csrf": payer.csrf, "token": str(uuid4())},
        pay_path=payer.page,
        card_path=f"{payer.page}/card",
        message=error.message if error else told,
        tone="caution" if isinstance(error, Conflict) else "negative",
    )


def show_outcome(
    visit: Visit, payer: Payer, debt: Debt, outcome: str, bank_url: str | None = None
) -> ASGIResponse:
    """What became of a payment; where that is still open, the page looks again by itself."""
    response = visit.page(
        "payment_result.html",
        invoice=debt.invoice,
        subscription=debt.subscription,
        outcome=outcome,
        bank_url=bank_url if outcome == "waiting" else None,
        pay_path=payer.page,
        here=visit.place,
    )
    if outcome in ("unknown", "processing"):
        response.headers.add("refresh", "5")
    return response


def to_result(visit: Visit, payer: Payer, token: UUID) -> ASGIResponse:
    """Go on to what became of the payment with this token."""
    return visit.redirect(f"{payer.result}?payment={token}")
