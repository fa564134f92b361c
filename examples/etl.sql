-- From Kafka to Kafka, exactly once: one job with three results.
--
--   sqlstream dev-broker --topics nexmark:4,big_bids:4,auction_windows:4,bidder_totals:4
--   sqlstream nexmark --topic nexmark --events 1000000 --rate 20000
--   sqlstream run examples/etl.sql
--
-- Kill it at any moment and run it again: readers of the results that read committed
-- records see each of them once. `sqlstream demo` does all of this by itself.

SET 'pipeline.name' = 'etl';
SET 'execution.checkpointing.interval' = '2 s';

-- The events of an auction site (Nexmark): people, auctions and bids in one topic.
CREATE TABLE events (
  event_type INT,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING>,
  auction ROW<`dateTime` TIMESTAMP(3)>,
  person ROW<`dateTime` TIMESTAMP(3)>,
  `dateTime` AS CASE event_type WHEN 0 THEN person.`dateTime` WHEN 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = 'nexmark',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);

CREATE VIEW bids AS
SELECT bid.auction, bid.bidder, bid.price, bid.channel, `dateTime`
FROM events WHERE event_type = 2;

-- A filter and a projection.
CREATE TABLE big_bids (
  auction BIGINT, bidder BIGINT, price_eur DECIMAL(23, 3), channel STRING, `dateTime` TIMESTAMP(3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'big_bids',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'etl',
  'format' = 'json'
);

-- Bids per auction in windows of ten seconds, by the time in the data.
CREATE TABLE auction_windows (
  window_start TIMESTAMP(3), window_end TIMESTAMP(3), auction BIGINT, bids BIGINT, best BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = 'auction_windows',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'etl',
  'format' = 'json'
);

-- What each bidder has bid so far: the newest record of a key is its row.
CREATE TABLE bidder_totals (
  bidder BIGINT, bids BIGINT, total BIGINT,
  PRIMARY KEY (bidder) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'bidder_totals',
  'properties.bootstrap.servers' = '127.0.0.1:9092',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'etl',
  'key.format' = 'json',
  'value.format' = 'json'
);

EXECUTE STATEMENT SET BEGIN
  INSERT INTO big_bids
  SELECT auction, bidder, 0.908 * price, channel, `dateTime` FROM bids WHERE price > 1000000;

  INSERT INTO auction_windows
  SELECT window_start, window_end, auction, COUNT(*), MAX(price)
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end, auction;

  INSERT INTO bidder_totals
  SELECT bidder, COUNT(*), SUM(price) FROM bids GROUP BY bidder;
END;
