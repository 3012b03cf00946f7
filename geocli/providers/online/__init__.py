"""Online providers: what they share in asking a server politely."""
