"""Money: amounts, prices and the currencies of ISO 4217."""
