"""Messages as they are on the wire, by version of the protocol."""
