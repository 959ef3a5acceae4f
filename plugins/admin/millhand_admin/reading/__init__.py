"""From a document's bytes to a paper: e-invoice XML first, then the PDF's text, then pictures."""
