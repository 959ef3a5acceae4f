"""OPC UA adapter for Millhand, on asyncua."""
