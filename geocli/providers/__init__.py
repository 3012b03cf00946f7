"""Providers: addresses to records. `base` has the contract, every other module is one provider."""
