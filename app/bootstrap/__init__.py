"""Wire the product: the only place where steps meet plug-ins.

Nothing here touches the network or the database; ``Product.start`` does.
"""

from app.bootstrap.ground import Outside, open_inbox
from app.bootstrap.product import Product
from app.bootstrap.wiring import build
from app.core.home import HOME

__all__ = ["HOME", "Outside", "Product", "build", "open_inbox"]
