"""Statistics that keep their word: exact intervals, risk certificates, tests that may be watched.

Pure functions of numbers. Each names the paper that proves what it promises.
"""
