"""What keeps a cell in service: the unit, backup and restore, the doctor, the bill of materials."""
