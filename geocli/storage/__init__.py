"""What lasts: the journal, the store, and what moves answers between them."""
