"""The demo's three merchants: what they sell, how they look, and who buys what."""

from typing import Literal, NamedTuple

import msgspec

from tenants.branding import Branding, Colours, Link
from tenants.catalog import ChangeRules
from tenants.retries import POLAR, STRIPE, Ending, QuietTimes, RetryPolicy


class Offer(NamedTuple):
    """One plan: a product's price, and the merchant's words about it."""

    key: str
    product: str
    amount: int
    interval: Literal["week", "month", "year"]
    english: str
    french: str
    highlight: bool = False
    quantity_max: int = 1


class Purchases(NamedTuple):
    """Which offers the demo's customers are on, by key, and how many of it."""

    ada: str
    ada_quantity: int
    grace: str
    linus_before: str
    linus_trial: str
    zoe: str


class Merchant(NamedTuple):
    """Everything that makes one demo merchant."""

    slug: str
    name: str
    currency: str
    locale: str
    offers: tuple[Offer, ...]
    purchases: Purchases
    branding: Branding
    changes: ChangeRules
    retries: RetryPolicy
    support_email: str
    #: The logo's mark, as SVG shapes in a box of 32 by 32, and its colour by light and by dark.
    mark: str
    ink: tuple[str, str]
    #: How wide the name is beside the mark, in the same units, whatever font there is.
    name_width: int


def logo(merchant: Merchant, dark: bool) -> bytes:
    """The merchant's logo: its mark and its name, drawn for a light or a dark page."""
    ink = merchant.ink[dark]
    width = 42 + merchant.name_width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 32" '
        f'width="{width}" height="32">'
        f'<g fill="{ink}">{merchant.mark}</g>'
        f'<text x="42" y="23.5" fill="{ink}" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="22" font-weight="700" textLength="{merchant.name_width}" '
        f'lengthAdjust="spacingAndGlyphs">{merchant.name}</text></svg>'
    ).encode()


LUMEN = Merchant(
    slug="lumen",
    name="Lumen",
    currency="usd",
    locale="en",
    offers=(
        Offer(
            "starter",
            "Starter",
            1200,
            "month",
            "For one person who wants to see what their product does.",
            "Pour une personne qui veut voir ce que fait son produit.",
        ),
        Offer(
            "team",
            "Team",
            2900,
            "month",
            "Shared dashboards, alerts and a year of history, per seat.",
            "Tableaux de bord partagés, alertes et un an d’historique, par siège.",
            highlight=True,
            quantity_max=50,
        ),
        Offer(
            "team-year",
            "Team",
            29000,
            "year",
            "The Team plan paid once a year: two months free.",
            "La formule Team payée une fois par an : deux mois offerts.",
            quantity_max=50,
        ),
        Offer(
            "scale",
            "Scale",
            9900,
            "month",
            "Unlimited projects, single sign-on and a named contact.",
            "Projets illimités, authentification unique et interlocuteur dédié.",
        ),
    ),
    purchases=Purchases("starter", 1, "team", "starter", "team", "scale"),
    branding=Branding(
        theme="plain",
        light=Colours(accent="#4338ca"),
        headline={
            "en": "Your Lumen subscription, in one place.",
            "fr": "Votre abonnement Lumen, au même endroit.",
        },
        links=(
            Link("Terms", "https://lumen.example/terms"),
            Link("Privacy", "https://lumen.example/privacy"),
        ),
    ),
    changes=ChangeRules(),
    retries=msgspec.structs.replace(STRIPE, grace_days=7, end=Ending(subscription="cancel")),
    support_email="help@lumen.example",
    mark='<path d="M16 2 29 9.5v13L16 30 3 22.5v-13z" opacity=".22"/>'
    '<path d="M16 7.5 24 12v8l-8 4.5L8 20v-8z"/>',
    ink=("#312e81", "#c7d2fe"),
    name_width=70,
)

MARMITE = Merchant(
    slug="marmite",
    name="Marmite",
    currency="eur",
    locale="fr",
    offers=(
        Offer(
            "two",
            "Deux repas par semaine",
            2490,
            "week",
            "Two dinners for two, cooked in half an hour.",
            "Deux dîners pour deux, prêts en une demi-heure.",
        ),
        Offer(
            "three",
            "Trois repas par semaine",
            3490,
            "week",
            "Three dinners for two, one of them vegetarian.",
            "Trois dîners pour deux, dont un végétarien.",
            highlight=True,
        ),
        Offer(
            "five",
            "Cinq repas par semaine",
            5390,
            "week",
            "The whole working week, for two.",
            "Toute la semaine de travail, pour deux.",
        ),
    ),
    purchases=Purchases("two", 1, "three", "two", "three", "five"),
    branding=Branding(
        theme="hearth",
        light=Colours(accent="#9f2d12"),
        headline={
            "en": "Good evenings start at the market.",
            "fr": "Les bonnes soirées commencent au marché.",
        },
        links=(
            Link("Conditions de vente", "https://marmite.example/cgv"),
            Link("Mentions légales", "https://marmite.example/mentions"),
        ),
    ),
    changes=ChangeRules(downgrade="period_end"),
    # Boxes leave each week: who has not paid for one by then waits for the next.
    retries=RetryPolicy(
        collector="guichet",
        waits_days=(2, 2, 3),
        tries=3,
        window_days=8,
        quiet=QuietTimes(from_hour=21, until_hour=8),
        time_zone="Europe/Paris",
        grace_days=2,
        end=Ending(subscription="pause"),
    ),
    support_email="bonjour@marmite.example",
    mark='<path d="M4 13h24v9a7 7 0 0 1-7 7H11a7 7 0 0 1-7-7z"/>'
    '<path d="M1 14.5h4v4H3a2 2 0 0 1-2-2zM27 14.5h4v2a2 2 0 0 1-2 2h-2z"/>'
    '<path d="M10 4h2v6h-2zM15 2h2v8h-2zM20 4h2v6h-2z" opacity=".45"/>',
    ink=("#7c2410", "#f4c9a8"),
    name_width=82,
)

VOLTA = Merchant(
    slug="volta",
    name="Volta",
    currency="gbp",
    locale="en",
    offers=(
        Offer(
            "spark",
            "Spark",
            2400,
            "month",
            "Wind and sun for a flat, at one fixed price.",
            "Vent et soleil pour un appartement, à prix fixe.",
        ),
        Offer(
            "current",
            "Current",
            5800,
            "month",
            "A house with a heat pump, with a night tariff.",
            "Une maison avec pompe à chaleur, tarif de nuit compris.",
            highlight=True,
        ),
        Offer(
            "storm",
            "Storm",
            11200,
            "month",
            "House, car and battery, run as one.",
            "Maison, voiture et batterie, pilotées ensemble.",
        ),
    ),
    purchases=Purchases("spark", 1, "current", "spark", "current", "storm"),
    branding=Branding(
        theme="current",
        scheme="dark",
        headline={"en": "Power, on your terms.", "fr": "L’énergie, à vos conditions."},
        links=(
            Link("Tariffs", "https://volta.example/tariffs"),
            Link("Privacy", "https://volta.example/privacy"),
        ),
    ),
    changes=ChangeRules(upgrade="now", downgrade="period_end"),
    retries=msgspec.structs.replace(
        POLAR, grace_days=14, block_after_days=21, time_zone="Europe/London"
    ),
    support_email="care@volta.example",
    mark='<path d="M18 1 5 18h8l-2 13 14-18h-8z"/>',
    ink=("#0b3b2e", "#b6f09c"),
    name_width=52,
)

ALL = (LUMEN, MARMITE, VOLTA)
