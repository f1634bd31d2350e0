"""Every route of the console; the tests compare them with their table of who may use which."""

from guichet.console.agency import merchants, new_merchant, suspending
from guichet.console.audit import agency as agency_audit
from guichet.console.audit import merchant as merchant_audit
from guichet.console.connections import domains, provider, sign_in_providers
from guichet.console.customers import pages as customers
from guichet.console.customers import payments as failed_payments
from guichet.console.customers import support
from guichet.console.door import assets, home, invitations, sign_in
from guichet.console.members import agency as agency_members
from guichet.console.members import merchant as merchant_members
from guichet.console.overview import overview
from guichet.console.publishing import history, publish, transfer
from guichet.console.settings import (
    branding,
    cancelling,
    changes,
    features,
    general,
    mails,
    own_mails,
    pictures,
    plans,
    retries,
    texts,
)

HANDLERS = (
    home.home,
    home.choose_language,
    assets.asset,
    *sign_in.HANDLERS,
    *invitations.HANDLERS,
    *merchant_members.HANDLERS,
    *agency_members.HANDLERS,
    *merchant_audit.HANDLERS,
    *agency_audit.HANDLERS,
    *branding.HANDLERS,
    *cancelling.HANDLERS,
    *changes.HANDLERS,
    *features.HANDLERS,
    *general.HANDLERS,
    *pictures.HANDLERS,
    *plans.HANDLERS,
    *texts.HANDLERS,
    *retries.HANDLERS,
    *mails.HANDLERS,
    *own_mails.HANDLERS,
    *provider.HANDLERS,
    *domains.HANDLERS,
    *sign_in_providers.HANDLERS,
    *merchants.HANDLERS,
    *overview.HANDLERS,
    *customers.HANDLERS,
    *support.HANDLERS,
    *failed_payments.HANDLERS,
    *new_merchant.HANDLERS,
    *suspending.HANDLERS,
    *publish.HANDLERS,
    *history.HANDLERS,
    *transfer.HANDLERS,
)
