"""How well lines and regions were found: figures of one page against its truth, and of a set of pages."""
