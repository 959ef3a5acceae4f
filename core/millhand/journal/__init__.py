"""The journal: append-only, durable before it answers, chained, the only truth.

:class:`~millhand.journal.journal.Journal` is the door; :mod:`~millhand.journal.blobs` keeps the
pictures and documents that entries name by hash.
"""
