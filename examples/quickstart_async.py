"""The first calls with asyncio.

`redcore-server run -- python examples/quickstart_async.py`
"""

import asyncio

from redcore import AsyncClient


async def main() -> None:
    async with AsyncClient() as client:
        names = [f"Part {number}" for number in range(10)]
        await asyncio.gather(
            *(
                client.products.create(
                    name=name, sku=name.upper().replace(" ", "-"), price=100
                )
                for name in names
            )
        )
        async for product in client.products.list_all(q="part").iter_items():
            print(product.sku, product.price)


if __name__ == "__main__":
    asyncio.run(main())
