"""Step 2: decide. A case and a menu become one grounded decision."""
