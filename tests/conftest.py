"""For all tests: no property is timed, as no machine promises a time."""

from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    """Else Hypothesis takes an example of more than 200 ms, or one slow to make, for a fault."""
    settings.register_profile(
        "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("untimed")
