"""Vehicle dispatch: transport orders to vehicles, ways without deadlocks, charging. Pure."""
