-- The store's own end of each retention class, whole parts at a time. Traces are deleted earlier, by the
-- rules of their project; this takes what belongs to no trace, and is the backstop for the rest.
-- A class of 0 is for ever. Time counts from the later of a row's own time and its arrival.
ALTER TABLE spans MODIFY SETTING ttl_only_drop_parts = 1;

ALTER TABLE spans MODIFY TTL if(retention_days = 0, toDateTime('2106-01-01 00:00:00', 'UTC'),
    greatest(bucket_time, toDateTime(intDiv(received_ns, 1000000000), 'UTC'))
    + toIntervalDay(least(retention_days, 20000) + 7));

ALTER TABLE traces MODIFY SETTING ttl_only_drop_parts = 1;

ALTER TABLE traces MODIFY TTL if(retention_days = 0, toDateTime('2106-01-01 00:00:00', 'UTC'),
    greatest(bucket_hour, toDateTime(settled_through, 'UTC'))
    + toIntervalDay(least(retention_days, 20000) + 7));

ALTER TABLE logs MODIFY SETTING ttl_only_drop_parts = 1;

ALTER TABLE logs MODIFY TTL if(retention_days = 0, toDateTime('2106-01-01 00:00:00', 'UTC'),
    greatest(bucket_time, toDateTime(intDiv(received_ns, 1000000000), 'UTC'))
    + toIntervalDay(least(retention_days, 20000)));

ALTER TABLE agent_usage MODIFY SETTING ttl_only_drop_parts = 1;

ALTER TABLE agent_usage MODIFY TTL if(retention_days = 0, toDateTime('2106-01-01 00:00:00', 'UTC'),
    greatest(bucket_time, toDateTime(intDiv(received_ns, 1000000000), 'UTC'))
    + toIntervalDay(least(retention_days, 20000)));
