"""Training of independent policies through devices and power flow; see docs/method.md."""
