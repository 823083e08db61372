"""The energy managers of a scenario's homes as a federate; see docs/hems/federation.md."""
