"""What to do next about a failed payment: a function of what is known, and of the policy."""

from guichet.billing.dunning.facts import Decision, Facts
from tenants.retries import RetryPolicy


def decide(facts: Facts, policy: RetryPolicy) -> Decision:
    """The next step of a case, always with its reasons."""
    raise NotImplementedError
