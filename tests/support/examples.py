"""How many examples a property test tries: few in the quick suite, ten times as many in "make test-all"."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_SCALES = {"quick": 0.1, "thorough": 1}
_USUAL = 100
_FEWEST = 5

for _name, _scale in _SCALES.items():
    settings.register_profile(
        _name,
        max_examples=int(_USUAL * _scale),
        # How long an example takes is up to the machine; and what a test writes it writes anew each time.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


def examples(number: int) -> settings:
    """Decorate a property test that is worth another number of examples than the usual hundred."""
    scale = _SCALES.get(settings.get_current_profile_name(), 1)
    return settings(max_examples=max(_FEWEST, int(number * scale)))
