-- the highest price of each window of 10 s: the windowed half of q7
SELECT MAX(price) AS top, window_start, window_end
FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
