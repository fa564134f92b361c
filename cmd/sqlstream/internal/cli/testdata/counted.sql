SET 'execution.checkpointing.interval' = '10 s';
CREATE TABLE bid (auction BIGINT, bidder BIGINT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = 'bid', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
CREATE TABLE totals (auction BIGINT, n BIGINT, total INT, PRIMARY KEY (auction) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'out', 'properties.bootstrap.servers' = 'localhost:9092', 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO totals SELECT auction, COUNT(*) AS n, SUM(price) AS total FROM bid GROUP BY auction;
