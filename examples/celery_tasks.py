"""A Celery task that may run twice and creates once; the workers share their tokens.

`redcore-server run -- celery --workdir examples -A celery_tasks worker`
"""

import os
from functools import cache

from celery import Celery, Task

from redcore import Client, RedcoreAPIError, RedcoreError
from redcore.tokens import RedisCache

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
app = Celery("shop", broker=os.environ.get("CELERY_BROKER_URL", REDIS_URL))


@cache
def client() -> Client:
    """The client of this process, made after the fork."""
    return Client(
        client_id=os.environ["REDCORE_CLIENT_ID"],
        client_secret=os.environ["REDCORE_CLIENT_SECRET"],
        token_cache=RedisCache(REDIS_URL),
    )


@app.task(bind=True, acks_late=True, max_retries=5)  # type: ignore[untyped-decorator]
def add_product(self: Task, order_id: str, name: str, sku: str, price: int) -> str:
    """Create a product once, however often this order's task is delivered."""
    try:
        product = client().products.create(
            name=name, sku=sku, price=price, idempotency_key=f"order-{order_id}"
        )
    except RedcoreError as error:
        if not error.is_retry_safe:
            raise
        asked = error.retry_after if isinstance(error, RedcoreAPIError) else None
        raise self.retry(exc=error, countdown=asked or 10) from error
    return product.id
