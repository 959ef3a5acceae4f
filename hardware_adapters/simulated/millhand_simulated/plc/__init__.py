"""The PLC of the conveyor cell: its program, the line around it, and its OPC UA server."""
