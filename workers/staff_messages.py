"""Mails to staff: sent when knocked for, swept up when nobody knocked, forgotten in time."""

from guichet.messages.staff.claiming import forget_old
from workers.office import Office


async def send_staff_messages(office: Office) -> None:
    """Send what is due; the knock for it has no shard."""
    await office.staff_sender.send()


async def sweep_staff_messages(office: Office) -> None:
    """The same by the clock: to look costs one statement, as a knock would."""
    await office.staff_sender.send()


async def clean_staff_messages(office: Office) -> None:
    """Remove what nobody needs an account of any more."""
    await forget_old(office.deployment.db)
