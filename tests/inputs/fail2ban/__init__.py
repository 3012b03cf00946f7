"""Tests of `geocli.inputs.fail2ban`."""
