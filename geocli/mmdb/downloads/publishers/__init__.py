"""Publishers of databases. `base` has the contract, every other module is one publisher."""
