"""What the services of this shop have in common: money, prices, currencies, fields of events."""
