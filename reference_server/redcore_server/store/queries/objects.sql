-- name: kept
-- Which of some objects are to be deleted later, by a job of their own.
select args ->> 'key' as key
from procrastinate_jobs
where task_name = %(task)s and status = 'todo' and args ->> 'key' = any(%(keys)s)
