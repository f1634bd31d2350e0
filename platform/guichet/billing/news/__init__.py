"""What changed in the mirror, followed: cases of dunning open and wake, customers are told.

Triggers write a row of news with each change that matters, whoever makes it. Whoever follows it
looks at what is now and never asks the provider, so news may be followed late, twice, or in any
order.
"""

from guichet.billing.news.following import FOLLOW_NEWS, Followed, follow_news
from guichet.billing.news.taking import has_news

__all__ = ["FOLLOW_NEWS", "Followed", "follow_news", "has_news"]
