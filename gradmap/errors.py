"""Every error this project raises on purpose.

Messages say which object, what value, what was expected, what to do.
"""


class GradmapError(Exception):
    """Base of all errors raised by this project."""


class ScenarioError(GradmapError, ValueError):
    """A scenario file, profile or population is wrong; nothing was started."""


class FeederError(GradmapError, ValueError):
    """A feeder does not compile, is unsafe, or is not connected as it should be."""


class ConvergenceError(GradmapError, RuntimeError):
    """A solver did not reach its tolerance and the caller asked for an exception."""


class FederationError(GradmapError, RuntimeError):
    """A federate died, hung or never joined; the message names it and its log."""


class MissingExtraError(GradmapError, ImportError):
    """An optional dependency is not installed; the message names the extra."""
