"""The hypothesis profiles of the property tests."""

from hypothesis import HealthCheck, settings

# The default profile is for running the tests often. Its examples are the same each time, so that no change passes or
# fails by chance. `--hypothesis-profile=long` looks for others, for a release; `thorough` does so for hours.
for name, examples in (("default", 50), ("long", 3_000), ("thorough", 20_000)):
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=name == "default",
        # How long an example takes depends on what else the machine does.
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
settings.load_profile("default")
