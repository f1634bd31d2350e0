"""The hosted pages in French, sentence by sentence."""

MONTHS = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
    "déc.",
)  # fmt: skip
SYMBOLS = {"usd": "$US", "eur": "€", "gbp": "£GB", "jpy": "¥"}

SENTENCES = {
    # Cards.
    "Card number": "Numéro de carte",
    "Expiration date": "Date d’expiration",
    "MM / YY": "MM / AA",
    "Security code": "Code de sécurité",
    "Cardholder name": "Titulaire de la carte",
    "Full name on card": "Nom complet sur la carte",
    "Your card number is incomplete.": "Le numéro de votre carte est incomplet.",
    "Your card number is invalid.": "Le numéro de votre carte n’est pas valide.",
    "Your card's expiration date is incomplete.":
        "La date d’expiration de votre carte est incomplète.",
    "Your card's expiration year is in the past.":
        "L’année d’expiration de votre carte est passée.",
    "Your card's expiration date is in the past.":
        "La date d’expiration de votre carte est passée.",
    "Your card's security code is incomplete.": "Le code de sécurité de votre carte est incomplet.",
    "Please fill out this field.": "Veuillez remplir ce champ.",
    "Your card was declined. Your request was in test mode, but used a non test card. For a list "
    "of valid test cards, visit: https://stripe.com/docs/testing.":
        "Votre carte a été refusée : cette page est en mode test et cette carte n’est pas une "
        "carte de test. Les cartes de test : https://stripe.com/docs/testing.",
    "{card}, expires {month}": "{card}, expire en {month}",
    # Refusals.
    "Your card was declined.": "Votre carte a été refusée.",
    "Your card has insufficient funds.": "La provision de votre carte est insuffisante.",
    "Your card has expired.": "Votre carte a expiré.",
    "Your card's security code is incorrect.": "Le code de sécurité de votre carte est incorrect.",
    "An error occurred while processing your card. Try again in a little bit.":
        "Une erreur s’est produite pendant le traitement de votre carte. Réessayez dans un "
        "instant.",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount "
    "limit.":
        "Votre carte a été refusée : trop de tentatives, ou plafond dépassé.",
    "Your card was declined. This transaction requires authentication.":
        "Votre carte a été refusée. Ce paiement demande une authentification.",
    "There is no default payment method to charge.":
        "Aucun moyen de paiement n’est enregistré par défaut.",
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.":
        "Nous ne pouvons pas authentifier votre moyen de paiement. Veuillez en choisir un autre et "
        "réessayer.",
    # Checkout.
    "Test mode": "Mode test",
    "Save a card": "Enregistrer une carte",
    "Save a card for {merchant}": "Enregistrer une carte pour {merchant}",
    "Save card": "Enregistrer la carte",
    "Cancel and go back to {merchant}": "Annuler et revenir chez {merchant}",
    "By saving your card, you allow {merchant} to charge it for future payments in accordance "
    "with their terms.":
        "En enregistrant votre carte, vous autorisez {merchant} à la débiter pour vos prochains "
        "paiements, conformément à ses conditions.",
    "You're all done here": "C’est terminé",
    "Your card is saved.": "Votre carte est enregistrée.",
    "Continue": "Continuer",
    "This page has expired": "Cette page a expiré",
    "Nothing was saved. Please start again.": "Rien n’a été enregistré. Veuillez recommencer.",
    "Go back": "Retour",
    # The bank's page.
    "3D Secure authentication": "Authentification 3D Secure",
    "Your bank asks whether it is you. This is a test page: choose how the authentication ends.":
        "Votre banque demande si c’est bien vous. Ceci est une page de test : choisissez comment "
        "l’authentification se termine.",
    "Pay {amount} to {merchant}": "Payer {amount} à {merchant}",
    "Save this card for {merchant}": "Enregistrer cette carte pour {merchant}",
    "Complete": "Réussir",
    "Fail": "Échouer",
    "Authentication complete": "Authentification réussie",
    "You can close this page.": "Vous pouvez fermer cette page.",
    "Authentication over": "Authentification terminée",
    "This was not completed. Close this page.":
        "L’opération n’a pas abouti. Vous pouvez fermer cette page.",
    # Invoices and receipts.
    "Invoice {number}": "Facture {number}",
    "Draft invoice": "Facture provisoire",
    "From {merchant}": "De {merchant}",
    "To {customer}": "Pour {customer}",
    "Issued {day}": "Émise le {day}",
    "Due {day}": "À payer avant le {day}",
    "Description": "Désignation",
    "Amount": "Montant",
    "Subtotal": "Sous-total",
    "Discount": "Remise",
    "Total": "Total",
    "Applied balance": "Solde appliqué",
    "Credit notes": "Avoirs",
    "Amount due": "Montant dû",
    "Paid on {day}.": "Payée le {day}.",
    "This invoice has been voided.": "Cette facture a été annulée.",
    "This invoice is a draft.": "Cette facture est provisoire.",
    "Pay with": "Payer avec",
    "Another card": "Une autre carte",
    "Pay {amount}": "Payer {amount}",
    "Download PDF": "Télécharger le PDF",
    "Receipt": "Reçu",
    "Amount paid": "Montant payé",
    "Payment method": "Moyen de paiement",
    "There is no such page.": "Cette page n’existe pas.",
}  # fmt: skip
