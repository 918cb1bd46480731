-- migsync 0.1.0: take back plan 45dcce5bac276b74fce75f29e6f8d88c
--
-- 2 renames, 1 insert in django_migrations.
-- Every row that stays keeps its id and its applied timestamp.
--
-- Database    default (sqlite)
-- Identity    the identity that the server gave
-- Run         sqlite3 -bail -cmd '.timeout 10000' DATABASE < default.undo.sql
-- Take back   sqlite3 -bail -cmd '.timeout 10000' DATABASE < default.apply.sql
--
-- All of it is done or nothing is, whatever the client does after an error. It may be run again.
-- At the end it says "migsync: undone, 3 rows", "migsync: already undone",
-- or "migsync: stale, nothing changed" where the rows are not those of the plan.
--
-- Goes back from:
--   20261120T104500_shift.toml
--
-- undo of plan 45dcce5bac27:
--   row 5 comes back: shop.0004_merge, applied 2025-03-05 09:30:00.123456
--   row 4: shop.0004_alter_x -> shop.0003_alter_x
--   row 3: shop.0003_alter_x -> shop.0002_alter_x

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
CREATE TABLE IF NOT EXISTS migsync_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT migsync_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO migsync_version (version_num) SELECT '0001' WHERE NOT EXISTS (SELECT 1 FROM migsync_version);

DROP VIEW IF EXISTS temp.migsync_state;
DROP TABLE IF EXISTS temp.migsync_change;
DROP TABLE IF EXISTS temp.migsync_json;
DROP TABLE IF EXISTS temp.migsync_outcome;
-- No name: a new row. No new name: the row goes.
CREATE TEMPORARY TABLE migsync_change (
    n INTEGER PRIMARY KEY, id INTEGER, applied TEXT, app TEXT, name TEXT, new_app TEXT, new_name TEXT
);
CREATE INDEX temp.migsync_change_id ON migsync_change (id);
CREATE INDEX temp.migsync_change_new_name ON migsync_change (new_name, new_app);
CREATE TEMPORARY TABLE migsync_outcome (outcome TEXT);
INSERT INTO temp.migsync_change VALUES
    (1, 5, '2025-03-05 09:30:00.123456', NULL, NULL, 'shop', '0004_merge'),
    (2, 4, '2025-03-04 09:30:00.123456', 'shop', '0004_alter_x', 'shop', '0003_alter_x'),
    (3, 3, '2025-03-03 09:30:00', 'shop', '0003_alter_x', 'shop', '0002_alter_x');
CREATE TEMPORARY TABLE migsync_json (passed TEXT, returned TEXT, changes TEXT, digests TEXT);
INSERT INTO temp.migsync_json VALUES (
    '[]',
    '[{"id":"b2012a14b56228f925c63e19a71e5d87df2cf04b24c21a83bdbb105c634af7a1","format":1,"parents":[],"command":"rewrite shift","created":"2026-11-20T10:45:00Z","apps":{"shop":{"before":["0001_initial","0002_aaa","0002_alter_x","0003_alter_x","0004_merge"],"after":["0001_initial","0002_aaa","0003_alter_x","0004_alter_x"],"removed":["0004_merge"],"renamed":[["0002_alter_x","0003_alter_x"],["0003_alter_x","0004_alter_x"]],"collapsed":[]}}}]',
    '[{"kind":"insert","before":null,"after":{"id":5,"app":"shop","name":"0004_merge","applied":"2025-03-05 09:30:00.123456"},"cause":"undo of plan 45dcce5bac27"},{"kind":"rename","before":{"id":4,"app":"shop","name":"0004_alter_x","applied":"2025-03-04 09:30:00.123456"},"after":{"id":4,"app":"shop","name":"0003_alter_x","applied":"2025-03-04 09:30:00.123456"},"cause":"undo of plan 45dcce5bac27"},{"kind":"rename","before":{"id":3,"app":"shop","name":"0003_alter_x","applied":"2025-03-03 09:30:00"},"after":{"id":3,"app":"shop","name":"0002_alter_x","applied":"2025-03-03 09:30:00"},"cause":"undo of plan 45dcce5bac27"}]',
    '{}'
);

-- present: rows under the ids of the plan; as_before, as_after: those that are as the plan finds and leaves them;
-- bearers: rows that bear a new name; inserted: those that are a new row of the plan;
-- named: rows that the plan removes by name, for want of an id; standing: the plan's last run that is in force.
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
            SELECT id, number, id FROM migsync_run WHERE plan_id = '45dcce5bac276b74fce75f29e6f8d88c'
            UNION ALL
            SELECT f.root, f.number, r.id FROM migsync_run AS r JOIN family AS f ON r.undoes = f.id
        )
        SELECT root FROM family GROUP BY root, number HAVING count(*) % 2 = 1 ORDER BY number DESC LIMIT 1
    ) AS standing;

-- What is not as planned.
SELECT 'migsync: row ' || c.id || ' is not ' || c.app || '.' || c.name || coalesce(', applied ' || c.applied, '')
  FROM temp.migsync_change AS c, temp.migsync_state AS s
 WHERE NOT (s.present = 2 AND s.as_before = 2 AND s.bearers = 1)
   AND NOT (s.present = 3 AND s.as_after = 3 AND s.standing IS NULL)
   AND c.id IS NOT NULL AND c.name IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM main.django_migrations AS m WHERE m.id = c.id AND c.app = m.app AND c.name = m.name AND c.applied IS CAST(m.applied AS TEXT))
 ORDER BY c.n LIMIT 10;
SELECT 'migsync: other rows with a new name: ' || (bearers - 1)
  FROM temp.migsync_state
 WHERE bearers > 1 AND NOT (present = 3 AND as_after = 3 AND standing IS NULL);

CREATE TEMPORARY TRIGGER migsync_sync INSTEAD OF INSERT ON migsync_state BEGIN
    -- The gate: nothing is written unless every row is as planned and nobody else bears a new name.
    INSERT INTO migsync_outcome
    SELECT 'migsync: already undone' FROM temp.migsync_state
     WHERE NOT (present = 2 AND as_before = 2 AND bearers = 1)
       AND present = 3 AND as_after = 3 AND standing IS NULL;
    SELECT RAISE(IGNORE) FROM temp.migsync_outcome;
    SELECT RAISE(ABORT, 'migsync: stale, nothing changed') FROM temp.migsync_state
     WHERE NOT (present = 2 AND as_before = 2 AND bearers = 1);

    UPDATE django_migrations
       SET app = (SELECT c.new_app FROM temp.migsync_change AS c WHERE c.id = django_migrations.id),
           name = (SELECT c.new_name FROM temp.migsync_change AS c WHERE c.id = django_migrations.id)
     WHERE id IN (SELECT id FROM temp.migsync_change WHERE name IS NOT NULL AND new_name IS NOT NULL);
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: another number of rows was written than 2')
     WHERE changes() <> 2;

    INSERT INTO django_migrations (id, app, name, applied)
    SELECT id, new_app, new_name, applied FROM temp.migsync_change
     WHERE name IS NULL AND id IS NOT NULL ORDER BY n;
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: another number of rows was written than 1')
     WHERE changes() <> 1;

    -- Read back.
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the rows are not what was written (a trigger?)')
      FROM temp.migsync_state
     WHERE NOT (present = 3 AND as_after = 3);

    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: the text for the journal is not whole')
      FROM temp.migsync_json
     WHERE length(passed) <> 2 OR length(returned) <> 438 OR length(changes) <> 618 OR length(digests) <> 2;
    INSERT INTO migsync_run (
        number, id, kind, plan_id, at, author, version, reason, undoes, passed, returned, changes, digests)
    SELECT next, '50686e1018ebe3d61375d960' || printf('%08x', next), 'undo', '50686e1018ebe3d61375d9600d15c34d',
           strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), 'script', '0.1.0', '',
           standing,
           passed, returned, changes, digests
      FROM (SELECT coalesce(max(number), 0) + 1 AS next FROM migsync_run), temp.migsync_json, (SELECT standing FROM temp.migsync_state);
    SELECT RAISE(ABORT, 'migsync: failed, nothing changed: another number of rows was written than 1')
     WHERE changes() <> 1;

    INSERT INTO migsync_outcome VALUES ('migsync: undone, 3 rows');
END;

INSERT INTO temp.migsync_state (present) VALUES (0);

SELECT coalesce((SELECT outcome FROM temp.migsync_outcome), 'migsync: not undone, nothing changed');
DROP VIEW IF EXISTS temp.migsync_state;
DROP TABLE IF EXISTS temp.migsync_change;
DROP TABLE IF EXISTS temp.migsync_json;
DROP TABLE IF EXISTS temp.migsync_outcome;
