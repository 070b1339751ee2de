"""The whole deployment as processes on this machine: two zones, four nodes, PostgreSQL with a replica, a Redis Cluster.

It runs the files of `reference_server/deploy/` with addresses of loopback: 127.0.1.x is zone A, 127.0.2.x zone B. For
`redcore-server topology up`, and for the tests that strike faults. Linux only; needs `haproxy` and `etcd` of the system
and the package `patroni`.
"""
