"""The distillery: from a teacher that may be learnt from to a student with a passport."""
