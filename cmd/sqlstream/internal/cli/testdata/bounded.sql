CREATE TABLE numbers (n INT) WITH (
  'connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '3'
);
SHOW TABLES;
DESCRIBE numbers;
SELECT n, n * n AS square FROM numbers;
