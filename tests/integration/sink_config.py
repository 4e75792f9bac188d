"""What the configurations of the sinks' tests have in common: small limits, no archive, a breaker that soon opens."""

SMALL = """
[log]
segment_size = "16MiB"

[http]
body_size_max = "2MiB"
memory_max = "64MiB"

[archive]
enabled = false
"""

BREAKER = """
[circuit_breaker]
sliding_window_size = 10
minimum_number_of_calls = 6
failure_rate_threshold = 60
permitted_number_of_calls_in_half_open_state = 2
wait_duration_in_open_state = "200ms"
"""
