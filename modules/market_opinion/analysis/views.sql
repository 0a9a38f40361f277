-- The views of `market-opinion query`; docs/queries.md describes them. The tables part_… are the parts of the
-- augmented zone as they stand there, and `date` is the UTC day of their path: a filter on it reads only those parts.

CREATE VIEW documents AS
SELECT subreddit, date, make_timestamp(created_utc * 1000000) AS created, fullname, kind, author, thread, parent,
    score, num_comments, permalink, title, text, language, flags,
    NOT list_has_any(flags, set_aside()) AS is_counted, edited, created_utc, observed_at_ts,
    market, market_version, engine, model
FROM part_documents;

CREATE VIEW mentions AS
SELECT subreddit, date, make_timestamp(created_utc * 1000000) AS created, fullname, number, author, thread, score,
    brand, product, aspects, label,
    CASE label WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 ELSE 0 END AS opinion,
    p_negative, p_neutral, p_positive, calibrated, alias, rule, confidence, quote, quote_start, quote_end,
    "start", "end", flags, NOT list_has_any(flags, set_aside()) AS is_counted, created_utc,
    market, market_version, engine, model
FROM part_mentions;

CREATE VIEW comparisons AS
SELECT subreddit, date, make_timestamp(created_utc * 1000000) AS created, fullname, author, thread, score,
    winner, loser, winner_brand, winner_product, loser_brand, loser_product, aspects, probability,
    "start", "end", flags, NOT list_has_any(flags, set_aside()) AS is_counted, created_utc,
    market, market_version, engine, model
FROM part_comparisons;

CREATE VIEW daily_opinion AS
SELECT subreddit, date, brand, aspect, mentions, authors, positive, neutral, negative,
    (positive - negative) / nullif(mentions, 0) AS net_sentiment,
    all_mentions, all_positive, all_neutral, all_negative,
    market, market_version, engine, model
FROM part_daily_opinion;

CREATE VIEW quotes AS
SELECT m.subreddit, m.date, m.created, m.brand, m.product, m.aspects, m.label, m.quote, d.score, d.permalink, d.title,
    m.fullname, m.author, m.is_counted
FROM mentions m
JOIN documents d ON d.subreddit = m.subreddit AND d.date = m.date AND d.fullname = m.fullname;

CREATE VIEW threads AS
SELECT s.subreddit, s.date, s.fullname AS thread, s.title, s.author, s.score, s.permalink,
    s.num_comments AS comments_told, coalesce(c.seen, 0) AS comments_seen
FROM documents s
LEFT JOIN (SELECT thread, count(*) AS seen FROM part_documents WHERE kind = 'comments' GROUP BY thread) c
    ON c.thread = s.fullname
WHERE s.kind = 'submissions';

CREATE VIEW coverage AS
SELECT subreddit, CAST(make_timestamp(hour_ts * 1000000) AS DATE) AS date, make_timestamp(hour_ts * 1000000) AS hour,
    status, status IN ('complete', 'empty') AS is_whole,
    submissions_status, comments_status, submissions_source, comments_source, hour_ts
FROM part_coverage;

COMMENT ON VIEW documents IS 'a submission or comment';
COMMENT ON VIEW mentions IS 'a brand or product that a document names, and what its author thinks of it';
COMMENT ON VIEW comparisons IS 'one brand or product said to be better than another';
COMMENT ON VIEW daily_opinion IS 'counts of a day and subreddit by brand and aspect; the quick way over long spans';
COMMENT ON VIEW quotes IS 'a mention with its sentence and where to read it';
COMMENT ON VIEW threads IS 'a submission, with the comments that Reddit tells of and those that are in the lake';
COMMENT ON VIEW coverage IS 'an hour of a subreddit that somebody looked at, and how much of it was seen';
