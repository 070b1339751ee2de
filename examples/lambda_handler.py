"""An AWS Lambda function.

The client lives as long as the sandbox; a call ends before the function's time is up.
"""

from typing import Any

from redcore import Client, NotFoundError

client = Client(timeout=5)
SPARE_S = 1.0
"""Left for the answer of the function itself."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with the product of the path."""
    deadline = max(context.get_remaining_time_in_millis() / 1000 - SPARE_S, SPARE_S)
    try:
        product = client.products.get(event["pathParameters"]["id"], deadline=deadline)
    except NotFoundError as error:
        return {"statusCode": 404, "body": error.message}
    return {"statusCode": 200, "body": product.to_json()}
