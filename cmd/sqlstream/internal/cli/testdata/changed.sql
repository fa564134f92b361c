SET 'pipeline.name' = 'counts';
SET 'execution.checkpointing.interval' = '10 s';
CREATE TABLE events (event_type INT) WITH (
  'connector' = 'kafka', 'topic' = 'events', 'properties.bootstrap.servers' = '$BROKER',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json'
);
CREATE TABLE counts (event_type INT, n BIGINT, PRIMARY KEY (event_type) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'counts', 'properties.bootstrap.servers' = '$BROKER',
  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'counts', 'key.format' = 'json', 'value.format' = 'json'
);
INSERT INTO counts SELECT event_type, n FROM (SELECT event_type, COUNT(DISTINCT event_type) AS n FROM events GROUP BY event_type) WHERE n IN (40, 120, 1840);
