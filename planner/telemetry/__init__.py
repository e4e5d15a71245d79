"""What the planner tells others of itself while it runs.

metrics.py   counts and durations, for Prometheus
tracing.py   what each request did, for OpenTelemetry; imported only if traces are to be sent
"""
