"""What a release is made of, and how: ``python -m tools.release``. docs/releasing.md has the checklist."""
