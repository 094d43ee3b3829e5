"""Reading and writing files; everything else in the package works on arrays and frames."""
