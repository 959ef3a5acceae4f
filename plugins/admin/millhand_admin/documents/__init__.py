"""The agent ``admin.documents``: from a document to a draft, a question or a refusal."""
