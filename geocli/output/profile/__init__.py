"""What is known about one thing: a screen, a JSON document, and a mail to who answers for it."""
