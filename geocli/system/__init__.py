"""What geocli asks of the operating system: files, SQLite files, HTTP, processes."""
