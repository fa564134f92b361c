CREATE TABLE n (v INT) WITH ('connector' = 'datagen');
CREATE TABLE a (v INT, c BIGINT) WITH ('connector' = 'print');
CREATE TABLE b (v INT) WITH ('connector' = 'print');
INSERT INTO a SELECT v, COUNT(*) FROM n GROUP BY v;
INSERT INTO b SELECT v FROM n;
