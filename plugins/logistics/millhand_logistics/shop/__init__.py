"""The shop: orders, machines, calendars, materials, as people write them down."""
