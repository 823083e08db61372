"""Does HELICS work on this machine: one value through a real broker on loopback."""

from __future__ import annotations

import helics as h

from federates.broker import Broker
from gradmap.errors import FederationError

_SENT = 42.0


def helics_version() -> str:
    """Return the version of the HELICS library that is loaded."""
    return str(h.helicsGetVersion())


def shake_hands() -> str:
    """Send a value through a broker and back. Returns the broker's address.

    Raises:
        FederationError: The value did not come back.
    """
    with Broker(n_federates=1, core_type="zmq") as broker:
        info = h.helicsCreateFederateInfo()
        h.helicsFederateInfoSetCoreTypeFromString(info, "zmq")
        h.helicsFederateInfoSetCoreInitString(
            info,
            f"--federates=1 --broker_address={broker.address.host} "
            f"--brokerport={broker.address.port}",
        )
        h.helicsFederateInfoSetBrokerKey(info, broker.key)
        h.helicsFederateInfoSetTimeProperty(info, h.HELICS_PROPERTY_TIME_DELTA, 1.0)
        federate = h.helicsCreateValueFederate("handshake", info)
        try:
            sent = h.helicsFederateRegisterPublication(
                federate, "value", h.HELICS_DATA_TYPE_DOUBLE, ""
            )
            received = h.helicsFederateRegisterSubscription(federate, "handshake/value", "")
            h.helicsFederateEnterExecutingMode(federate)
            h.helicsPublicationPublishDouble(sent, _SENT)
            h.helicsFederateRequestTime(federate, 1.0)
            value = h.helicsInputGetDouble(received)
        finally:
            h.helicsFederateDisconnect(federate)
        if value != _SENT:
            raise FederationError(f"HELICS returned {value}, expected {_SENT}: reinstall helics.")
        return f"{broker.address.host}:{broker.address.port}"
