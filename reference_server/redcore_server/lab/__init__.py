"""Test mode: makes a real server misbehave on request, and shows the mails that people would receive.

Only with `REDCORE_SERVER_LAB=true` or `redcore-server up --lab`, and only on a loopback host: anyone who can reach the
lab controls the server. To pages of other sites it is a 404. It sits in front of the gateway; other requests pass
through unchanged. Bodies are JSON, no endpoint needs a token, invalid requests get the error envelope.

`POST /lab/faults` `{"method": "GET", "path": "/v1/users/*", "faults": [{"status": 503, "retry_after": 2}, …]}`
    Each request with that method (any, if left out) and path (a glob) uses one fault up, in their order; after the last
    one all is well again. Scripts that match the same request wait for each other. A fault is made of
    `status`        this answer instead of the real one; the gateway does not even see the request;
    `body`          of that answer: a text is sent as HTML, anything else as JSON; the error envelope if left out. A
                    204, 205 or 304 has none;
    `retry_after`   seconds, or an HTTP date;
    `delay`         seconds to wait first, also before a real answer;
    `drop`          the connection is cut before the request is looked at;
    `truncate`      the request is handled, then the connection is cut in the middle of the answer's body;
    `pass`          nothing: the request is handled as ever.
`GET /lab/faults`     the scripts with faults that no request has met yet: `[{"method", "path", "left"}]`.
`DELETE /lab/faults`  forgets all scripts.
`POST /lab/clock` `{"advance": 3600}`  moves the server's clock by seconds: tokens expire, windows end, links grow old.
`DELETE /lab/clock`   sets it right again. Both answer `{"now": "…Z"}`.
`PUT /lab/limits` `{"requests_per_minute": 10, "requests_per_second": 5}`  takes the place of every rate limit; without
    `requests_per_second` no limit per second applies.
`DELETE /lab/limits`  restores the plans' own.
`GET /lab/outbox`     the mails that were sent, oldest first: `[{"id", "to", "subject", "text", "link"}]`.
`GET /lab/requests`   the last 10,000 requests, oldest first: `[{"method", "path", "status", "request_id", "query",
    "headers", "body"}]`; those that got no answer have status 0. Secrets are `***`; `body` is JSON or a form, or null.
`POST /lab/reset`     puts the data back as they were when the lab first ran on this database, which is just after it
    was seeded, and everything above too; requests that a `delay` holds back are dropped. Organisations seeded later
    keep their credentials and those who own them.
`POST /lab/platforms` opens another platform in this process, with its own address, data, clock and lab, for a worker of
    a parallel test run: `{"origin", "data"}`; `credentials.env` in that folder has its credentials. It ends with the
    process.
"""

from __future__ import annotations

from redcore_server.lab.app import Lab

__all__ = ["Lab"]
