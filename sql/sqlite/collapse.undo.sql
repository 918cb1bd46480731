-- migsync 1.0.0rc1: undo plan 7f327e5b19551292c2046a333989cc48
--
-- 1 rename, 2 inserts in django_migrations (shop).
-- Every row that stays keeps its id and its applied timestamp.
--
-- Database    default (sqlite)
-- Identity    the identity that the server gave
-- To run      sqlite3 -bail -cmd '.timeout 10000' DATABASE < default.undo.sql
-- To undo     sqlite3 -bail -cmd '.timeout 10000' DATABASE < default.apply.sql
--
-- It needs:
--   a database with the table django_migrations
--   no open transaction; in one, nothing is kept before you COMMIT
--   a file that can be written
-- The script checks this first. If it is not so, it says so and changes nothing.
--
-- The script makes all changes or none, even if the client continues after an error.
-- It is safe to run it again. The outcome is one of these, or an error:
--   migsync: undone, 3 rows
--   migsync: already undone
--   migsync: stale, nothing changed   (the rows are not those of the plan)
--
-- Reverts:
--   20261120T104500_collapse.toml    (migsync rewrite collapse, 2026-11-20T10:45:00Z)
--
-- undo of plan 7f327e5b1955:
--   restore row 3: shop.0003_add_b, applied 2025-03-03 09:30:00
--   restore row 2: shop.0002_add_a, applied 2025-03-02 09:30:00.123456
--   rename row 4: shop.0002_squashed_0004_add_c -> shop.0004_add_c

DROP VIEW IF EXISTS temp.migsync_state;
DROP TABLE IF EXISTS temp.migsync_change;
DROP TABLE IF EXISTS temp.migsync_kept;
DROP TABLE IF EXISTS temp.migsync_session;
DROP TABLE IF EXISTS temp.migsync_json;
DROP TABLE IF EXISTS temp.migsync_outcome;
-- What this script needs; otherwise it stops here, before anything is changed. `open`: a transaction is open.
CREATE TEMPORARY TABLE migsync_session (
    tables INTEGER, open INTEGER,
    CONSTRAINT "migsync: nothing changed: this file has no table django_migrations" CHECK (tables)
);
PRAGMA defer_foreign_keys = ON;
INSERT INTO temp.migsync_session
SELECT count(*), 0 FROM main.sqlite_master WHERE type = 'table' AND name = 'django_migrations';
UPDATE temp.migsync_session SET open = (SELECT defer_foreign_keys FROM pragma_defer_foreign_keys);
PRAGMA defer_foreign_keys = OFF;

CREATE TABLE IF NOT EXISTS migsync_run (
    id VARCHAR(32) NOT NULL,
    number INTEGER NOT NULL,
    kind VARCHAR(8) NOT NULL,
    plan_id VARCHAR(32) NOT NULL,
    at VARCHAR(32) NOT NULL,
    author VARCHAR(255) NOT NULL,
    version VARCHAR(32) NOT NULL,
    reason TEXT NOT NULL,
    undoes VARCHAR(32),
    passed TEXT NOT NULL,
    returned TEXT NOT NULL,
    changes TEXT NOT NULL,
    digests TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number)
);
CREATE TABLE IF NOT EXISTS migsync_content (
    digest VARCHAR(64) NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE IF NOT EXISTS migsync_content_seen (
    number INTEGER NOT NULL,
    schema_name VARCHAR(64) NOT NULL,
    record BIGINT NOT NULL,
    app VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    event VARCHAR(16) NOT NULL,
    source VARCHAR(64) NOT NULL,
    content VARCHAR(64) NOT NULL,
    at VARCHAR(32) NOT NULL,
    PRIMARY KEY (number),
    CONSTRAINT migsync_content_seen_schema UNIQUE (schema_name, number)
);
CREATE TABLE IF NOT EXISTS migsync_files (
    digest VARCHAR(64) NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE IF NOT EXISTS migsync_source (
    digest VARCHAR(64) NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE IF NOT EXISTS migsync_look (
    schema_name VARCHAR(64) NOT NULL,
    number BIGINT NOT NULL,
    record BIGINT NOT NULL,
    anchor BIGINT NOT NULL,
    moment VARCHAR(16) NOT NULL,
    identity VARCHAR(64) NOT NULL,
    files VARCHAR(64) NOT NULL,
    sources INTEGER NOT NULL,
    at VARCHAR(32) NOT NULL,
    PRIMARY KEY (schema_name, number)
);
CREATE TABLE IF NOT EXISTS migsync_ran (
    number INTEGER NOT NULL,
    schema_name VARCHAR(64) NOT NULL,
    record BIGINT NOT NULL,
    app VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    moment VARCHAR(16) NOT NULL,
    event VARCHAR(16) NOT NULL,
    source VARCHAR(64) NOT NULL,
    content VARCHAR(64) NOT NULL,
    at VARCHAR(32) NOT NULL,
    PRIMARY KEY (number),
    CONSTRAINT migsync_ran_schema UNIQUE (schema_name, number)
);
CREATE TABLE IF NOT EXISTS migsync_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT migsync_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO migsync_version (version_num) SELECT '0003' WHERE NOT EXISTS (SELECT 1 FROM migsync_version);

-- A row without name is inserted; a row without new_name is deleted.
CREATE TEMPORARY TABLE migsync_change (
    n INTEGER PRIMARY KEY, id INTEGER, applied TEXT, app TEXT, name TEXT, new_app TEXT, new_name TEXT
);
CREATE INDEX temp.migsync_change_id ON migsync_change (id);
CREATE INDEX temp.migsync_change_new_name ON migsync_change (new_name, new_app);
CREATE TEMPORARY TABLE migsync_outcome (outcome TEXT);
INSERT INTO temp.migsync_change VALUES
    (1, 3, '2025-03-03 09:30:00', NULL, NULL, 'shop', '0003_add_b'),
    (2, 2, '2025-03-02 09:30:00.123456', NULL, NULL, 'shop', '0002_add_a'),
    (3, 4, '2025-03-04 09:30:00.123456', 'shop', '0002_squashed_0004_add_c', 'shop', '0004_add_c');
CREATE TEMPORARY TABLE migsync_json (passed TEXT, returned TEXT, changes TEXT, digests TEXT);
INSERT INTO temp.migsync_json VALUES (
    '[]',
    '[{"id":"bfd18de4af04d2730feb97af127eb32a17a4695b7e859e13aee5861947eeee8f","format":1,"parents":[],"command":"rewrite collapse","created":"2026-11-20T10:45:00Z","apps":{"shop":{"before":["0001_initial","0002_add_a","0003_add_b","0004_add_c"],"after":["0001_initial","0002_squashed_0004_add_c"],"removed":["0002_add_a","0003_add_b"],"renamed":[["0004_add_c","0002_squashed_0004_add_c"]],"collapsed":[]}}}]',
    '[{"kind":"insert","before":null,"after":{"id":3,"app":"shop","name":"0003_add_b","applied":"2025-03-03 09:30:00"},"cause":"undo of plan 7f327e5b1955"},{"kind":"insert","before":null,"after":{"id":2,"app":"shop","name":"0002_add_a","applied":"2025-03-02 09:30:00.123456"},"cause":"undo of plan 7f327e5b1955"},{"kind":"rename","before":{"id":4,"app":"shop","name":"0002_squashed_0004_add_c","applied":"2025-03-04 09:30:00.123456"},"after":{"id":4,"app":"shop","name":"0004_add_c","applied":"2025-03-04 09:30:00.123456"},"cause":"undo of plan 7f327e5b1955"}]',
    '{}'
);

-- present: rows that have an id of the plan; as_before, as_after: those that are as before or as after the plan;
-- bearers: rows that have a new name of the plan; inserted: those that are a new row of the plan;
-- named: rows that the plan deletes without knowing their id; standing: the last run of the plan that is in force;
-- beside: other rows of the same apps; kept: those that are as they were when the plan was made.
CREATE TEMPORARY VIEW migsync_state AS SELECT
    (SELECT count(*) FROM temp.migsync_change AS c JOIN main.django_migrations AS m ON m.id = c.id) AS present,
    (SELECT count(*) FROM temp.migsync_change AS c JOIN main.django_migrations AS m ON m.id = c.id
      WHERE c.app = m.app AND c.name = m.name AND c.applied IS CAST(m.applied AS TEXT)) AS as_before,
    (SELECT count(*) FROM temp.migsync_change AS c JOIN main.django_migrations AS m ON m.id = c.id
      WHERE c.new_app = m.app AND c.new_name = m.name AND c.applied IS CAST(m.applied AS TEXT)) AS as_after,
    (SELECT count(*) FROM main.django_migrations AS m CROSS JOIN temp.migsync_change AS c
      WHERE c.new_name = m.name AND c.new_app = m.app) AS bearers,
    (
        WITH RECURSIVE family (root, number, id) AS (
            SELECT id, number, id FROM migsync_run WHERE plan_id = '7f327e5b19551292c2046a333989cc48'
            UNION ALL
            SELECT f.root, f.number, r.id FROM migsync_run AS r JOIN family AS f ON r.undoes = f.id
        )
        SELECT root FROM family GROUP BY root, number HAVING count(*) % 2 = 1 ORDER BY number DESC LIMIT 1
    ) AS standing;

-- List the rows that are not as planned.
SELECT 'migsync: row ' || c.id || ' is not ' || c.app || '.' || c.name || coalesce(', applied ' || c.applied, '')
  FROM temp.migsync_change AS c, temp.migsync_state AS s
 WHERE NOT (s.present = 1 AND s.as_before = 1 AND s.bearers = 0)
   AND NOT (s.present = 3 AND s.as_after = 3 AND s.standing IS NULL)
   AND c.id IS NOT NULL AND c.name IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM main.django_migrations AS m WHERE m.id = c.id AND c.app = m.app AND c.name = m.name AND c.applied IS CAST(m.applied AS TEXT))
 ORDER BY c.n LIMIT 10;
SELECT 'migsync: new names already taken: ' || (bearers - 0)
  FROM temp.migsync_state
 WHERE bearers > 0 AND NOT (present = 3 AND as_after = 3 AND standing IS NULL);

CREATE TEMPORARY TRIGGER migsync_sync INSTEAD OF INSERT ON migsync_state BEGIN
    -- Write nothing unless every row is as planned and no other row has a new name.
    INSERT INTO migsync_outcome
    SELECT 'migsync: already undone' FROM temp.migsync_state
     WHERE NOT (present = 1 AND as_before = 1 AND bearers = 0)
       AND present = 3 AND as_after = 3 AND standing IS NULL;
    SELECT RAISE(IGNORE) FROM temp.migsync_outcome;
    SELECT RAISE(ABORT, 'migsync: nothing changed: the checks at the beginning of the script failed')
     WHERE NOT EXISTS (SELECT 1 FROM temp.migsync_session);
    SELECT RAISE(ABORT, 'migsync: stale, nothing changed') FROM temp.migsync_state
     WHERE NOT (present = 1 AND as_before = 1 AND bearers = 0);

    UPDATE django_migrations
       SET app = (SELECT c.new_app FROM temp.migsync_change AS c WHERE c.id = django_migrations.id),
           name = (SELECT c.new_name FROM temp.migsync_change AS c WHERE c.id = django_migrations.id)
     WHERE id IN (SELECT id FROM temp.migsync_change WHERE name IS NOT NULL AND new_name IS NOT NULL);
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the number of rows written is not 1')
     WHERE changes() <> 1;

    INSERT INTO django_migrations (id, app, name, applied)
    SELECT id, new_app, new_name, applied FROM temp.migsync_change
     WHERE name IS NULL AND id IS NOT NULL ORDER BY n;
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the number of rows written is not 2')
     WHERE changes() <> 2;

    -- Check what was written.
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: rows differ from those written (a trigger?)')
      FROM temp.migsync_state
     WHERE NOT (present = 3 AND as_after = 3);

    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the text for the journal is incomplete')
      FROM temp.migsync_json
     WHERE length(passed) <> 2 OR length(returned) <> 403 OR length(changes) <> 555 OR length(digests) <> 2;
    INSERT INTO migsync_run (
        number, id, kind, plan_id, at, author, version, reason, undoes, passed, returned, changes, digests)
    SELECT next, '6f34c2073bf5056524a66c9e' || printf('%08x', next), 'undo', '6f34c2073bf5056524a66c9e258dd4db',
           strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), 'script', '1.0.0rc1', '',
           standing,
           passed, returned, changes, digests
      FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM migsync_run), temp.migsync_json, (SELECT standing FROM temp.migsync_state);
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the number of rows written is not 1')
     WHERE changes() <> 1;

    INSERT INTO migsync_outcome
    SELECT CASE WHEN open THEN 'migsync: 3 rows changed in your transaction, not undone before you COMMIT'
           ELSE 'migsync: undone, 3 rows' END
      FROM temp.migsync_session;
END;

INSERT INTO temp.migsync_state (present) VALUES (0);

SELECT coalesce((SELECT outcome FROM temp.migsync_outcome), 'migsync: not undone, nothing changed');
DROP VIEW IF EXISTS temp.migsync_state;
DROP TABLE IF EXISTS temp.migsync_change;
DROP TABLE IF EXISTS temp.migsync_kept;
DROP TABLE IF EXISTS temp.migsync_session;
DROP TABLE IF EXISTS temp.migsync_json;
DROP TABLE IF EXISTS temp.migsync_outcome;
