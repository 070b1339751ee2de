"""A small shop on BlueRound: what an application's own code looks like."""

from __future__ import annotations

from collections.abc import Iterator

from redcore import Client, DuplicateError, NotFoundError, Product


class Shop:
    """The shelf and the till.

    Args:
        client: A client of BlueRound.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def stock_up(self, sku: str, name: str, price: int, pieces: int) -> Product:
        """Put pieces on the shelf; a product that is new is created."""
        try:
            return self._client.products.create(
                name=name, sku=sku, price=price, stock=pieces
            )
        except DuplicateError:
            held = self.find(sku)
            return self._client.products.update(held.id, stock=held.stock + pieces)

    def find(self, sku: str) -> Product:
        """Return the product with a sku.

        Raises:
            LookupError: there is no such product.
        """
        for page in self._client.products.list_all(q=sku):
            for product in page:
                if product.sku == sku:
                    return product
        raise LookupError(sku)

    def sell(self, product_id: str) -> Product:
        """Take one piece off the shelf.

        Raises:
            LookupError: there is no such product, or no piece of it.
        """
        try:
            product = self._client.products.get(product_id)
        except NotFoundError as error:
            raise LookupError(product_id) from error
        if product.stock == 0:
            raise LookupError(f"{product.name} is sold out")
        return self._client.products.update(product_id, stock=product.stock - 1)

    def catalog(self, page_size: int = 100) -> Iterator[str]:
        """Yield the names of all products, newest first."""
        for page in self._client.products.list_all(page_size=page_size):
            yield from (product.name for product in page)
