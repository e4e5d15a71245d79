"""What the queries of all routes that read make the database read.

profile.py           what each command has read, by the profiler of the server
others.py            documents of others, as many as queries must not read
queries.py           values of the query parameters
test_query_plans.py  each route, with each combination of its parameters
shard_keys.py        which filters hold the shard key of a collection
test_shard_keys.py   which queries of all routes do not
"""
