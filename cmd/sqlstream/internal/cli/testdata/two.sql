CREATE TABLE n (v INT) WITH ('connector' = 'datagen');
CREATE TABLE a (v INT, c BIGINT) WITH ('connector' = 'print');
INSERT INTO a SELECT v, COUNT(*) FROM n WHERE v > 1 GROUP BY v;
CREATE TABLE b (v INT) WITH ('connector' = 'print');
CREATE TABLE c (v BIGINT) WITH ('connector' = 'print');
INSERT INTO c SELECT COUNT(*) FROM n;
