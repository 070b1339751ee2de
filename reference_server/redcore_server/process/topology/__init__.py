"""The whole deployment as processes on this machine: two zones, four nodes, PostgreSQL with a replica, a Redis Cluster.

It uses the files of `reference_server/deploy/` with loopback addresses: 127.0.1.x is zone A, 127.0.2.x zone B. Used by
`redcore-server topology up` and by the fault-injection tests. Linux only; needs the system programs `haproxy` and
`etcd` and the package `patroni`.
"""
