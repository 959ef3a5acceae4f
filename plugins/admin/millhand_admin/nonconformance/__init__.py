"""The agent ``admin.ncr``: a run of bad parts becomes a hold of its lot and a drafted report."""
