"""Waiting for something that a server does by itself."""
import time


def wait_until(condition, server, seconds=60, each=lambda: None):
    """Until `condition()` is true; `each` runs at each look. Fails with the end of the server's log."""
    deadline = time.monotonic() + seconds
    while not condition():
        each()
        assert time.monotonic() < deadline, server.log_tail()
        time.sleep(0.02)
