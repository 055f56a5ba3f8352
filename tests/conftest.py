"""What all tests share: pytester, for tests of the plugin as its users run it."""

pytest_plugins = ["pytester"]
