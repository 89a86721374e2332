"""Operations on whole objects: pure functions over a document, which they only read, giving the parts of one edit."""
