"""Distilling the general student: a pool of pictures, training in pieces, the shipped file."""
