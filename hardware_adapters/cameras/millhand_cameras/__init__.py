"""Folder and video cameras for Millhand."""
