"""Imported first: leaves out what only draws on terminals, 4 MB of 48.

The log would import it when it is there, and it does as well without.
"""

import sys

LEFT_OUT = "rich"

# The modules' type does not say that None means "not to be had".
vars(sys)["modules"].setdefault(LEFT_OUT, None)
