"""Whether time grows in step with the input: of each pattern and each parser, on input made to hurt it."""
