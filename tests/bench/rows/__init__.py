"""A row of the table each: what is built, against what it is measured, and what has to come out."""
