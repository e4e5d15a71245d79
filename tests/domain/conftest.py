"""How long the property tests of the rules look."""

from hypothesis import HealthCheck, settings

# The suite is meant to be run often, `--hypothesis-profile=long` before a release; `thorough` takes hours.
for name, examples in (("default", 100), ("long", 3_000), ("thorough", 20_000)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
settings.load_profile("default")
