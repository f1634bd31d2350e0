"""The ground floor: who the agencies and merchants are, and what each of them owns."""
