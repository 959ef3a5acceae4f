"""A fleet that is not there: vehicles that drive, wear their batteries, vanish, lie and repeat."""
