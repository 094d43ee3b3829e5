"""Reports people read: records of what a page says, the figures, and the pages."""
