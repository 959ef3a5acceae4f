"""What a run was worth: parts, escapes, false rejects, times and money, from the journal alone.

Everything here is a pure function of journal entries and, where a simulation knows it, of what the
parts really were.
"""
