"""The reference head: a part is held against the picture of one that is as it should be.

For what has a layout that says everything, as boards, labels and dials have: one template is
enough, and a single wrong track is found that no head on features could know to be wrong.
"""
