"""The executor's process, which knows the deeds of the tests besides."""

import importlib
import os
import sys

from app.act.local import deeds
from app.act.local.__main__ import main
from app.core.registry import scan
from tests.unit.act.local.stands import USER, become
from tests.unit.act.local.trick import FOLDER

if __name__ == "__main__":
    deeds.__path__.append(str(FOLDER))
    if USER in os.environ:
        # Another user may not be able to read the code.
        scan(deeds)
        importlib.import_module("concurrent.futures.thread")
        become(int(os.environ[USER]))
    sys.exit(main(sys.argv[1:]))
