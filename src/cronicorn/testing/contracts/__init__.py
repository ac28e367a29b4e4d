"""One suite for each port: an adapter that passes keeps the promises of the port's docstrings.

Subclass a suite in a test module and override its `stores` fixture. The suites need pytest and pytest-asyncio in its
automatic mode.
"""
