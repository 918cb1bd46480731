-- migsync 1.0.0rc1: apply plan 2d5ca720a4ab2a0b895fce9e6c24ec98
--
-- 1 rename, 1 insert in django_migrations (shop).
-- Every row that stays keeps its id and its applied timestamp.
--
-- Database    default (mysql)
-- Identity    the identity that the server gave
-- To run      mariadb DATABASE < default.apply.sql    (or mysql)
-- To undo     mariadb DATABASE < default.undo.sql    (or mysql)
--             or: migsync undo --database default
--
-- It needs:
--   a database with the table django_migrations
--   no open transaction
--   a server that is not read-only
-- The script checks this first. If it is not so, it says so and changes nothing.
--
-- The script makes all changes or none, even if the client continues after an error.
-- It is safe to run it again. The outcome is one of these, or an error:
--   migsync: applied, 2 rows
--   migsync: already applied
--   migsync: stale, nothing changed   (the rows are not those of the plan)
--
-- Applies:
--   20261120T104500_remake.toml    (migsync rewrite remake, 2026-11-20T10:45:00Z)
--
-- 20261120T104500_remake.toml:
--   rename row 2: shop.0002_everything -> shop.0003_stock
--   insert row: shop.0002_prices, applied 2025-03-02 09:30:00.123456

-- What this script needs; otherwise it stops here, before anything is changed. No transaction may be open.
SET @migsync_stop = NULL, @migsync_there = NULL;
/*!50701 SET TRANSACTION ISOLATION LEVEL REPEATABLE READ */;
SET @migsync_stop = IF(0 /*!50701 + (ROW_COUNT() <> 0) */ /*M! + @@SESSION.in_transaction */,
    'migsync: nothing changed: a transaction is open; COMMIT or ROLLBACK it first', NULL);
SELECT COUNT(*) INTO @migsync_there FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'django_migrations';
SET @migsync_stop = COALESCE(@migsync_stop, CASE
    WHEN @@GLOBAL.read_only THEN 'migsync: nothing changed: this server is read-only; connect to the primary one'
    WHEN DATABASE() IS NULL THEN 'migsync: nothing changed: no database is selected; name it in the command'
    WHEN COALESCE(@migsync_there, 0) = 0
        THEN CONCAT('migsync: nothing changed: the database ', DATABASE(), ' has no table django_migrations')
    ELSE ''
END);
SELECT @migsync_stop AS outcome FROM DUAL WHERE @migsync_stop <> '';
SET @migsync_safe_updates = @@SESSION.sql_safe_updates;
SET SESSION sql_safe_updates = IF(@migsync_stop = '', 'OFF', @migsync_stop);

SET @migsync_time_zone = @@SESSION.time_zone, @migsync_sql_mode = @@SESSION.sql_mode,
    @migsync_autocommit = @@SESSION.autocommit, @migsync_row_wait = @@SESSION.innodb_lock_wait_timeout,
    @migsync_table_wait = @@SESSION.lock_wait_timeout, @migsync_limit = @@SESSION.sql_select_limit,
    @migsync_big = @@SESSION.sql_big_selects;
SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES',
    innodb_lock_wait_timeout = 10, lock_wait_timeout = 10,
    sql_select_limit = 18446744073709551615, sql_big_selects = 1,
    autocommit = IF(@migsync_stop = '', 1, @@SESSION.autocommit);

SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_run (
    id VARCHAR(32) NOT NULL,
    number INTEGER NOT NULL,
    kind VARCHAR(8) NOT NULL,
    plan_id VARCHAR(32) NOT NULL,
    at VARCHAR(32) NOT NULL,
    author VARCHAR(255) NOT NULL,
    version VARCHAR(32) NOT NULL,
    reason TEXT NOT NULL,
    undoes VARCHAR(32),
    passed LONGTEXT NOT NULL,
    returned LONGTEXT NOT NULL,
    changes LONGTEXT NOT NULL,
    digests LONGTEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (number)
)ENGINE=InnoDB CHARSET=utf8mb4', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_content (
    digest VARCHAR(64) NOT NULL,
    document LONGTEXT NOT NULL,
    PRIMARY KEY (digest)
)ENGINE=InnoDB CHARSET=utf8mb4', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_content_seen (
    number BIGINT NOT NULL AUTO_INCREMENT,
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
)ENGINE=InnoDB CHARSET=utf8mb4', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_files (
    digest VARCHAR(64) NOT NULL,
    document LONGTEXT NOT NULL,
    PRIMARY KEY (digest)
)ENGINE=InnoDB CHARSET=utf8mb4', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_source (
    digest VARCHAR(64) NOT NULL,
    document LONGTEXT NOT NULL,
    PRIMARY KEY (digest)
)ENGINE=InnoDB CHARSET=utf8mb4', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_look (
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
)ENGINE=InnoDB CHARSET=utf8mb4', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_ran (
    number BIGINT NOT NULL AUTO_INCREMENT,
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
)ENGINE=InnoDB CHARSET=utf8mb4', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'CREATE TABLE IF NOT EXISTS migsync_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT migsync_version_pkc PRIMARY KEY (version_num)
)', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'INSERT INTO migsync_version (version_num) SELECT ''0003'' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM migsync_version)', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
-- A row without name is inserted; a row without new_name is deleted. Names are binary, so that letter case and
-- trailing spaces count.
DROP TEMPORARY TABLE IF EXISTS migsync_change, migsync_kept, migsync_outcome;
CREATE TEMPORARY TABLE migsync_outcome (outcome VARCHAR(190) PRIMARY KEY) ENGINE = InnoDB;
CREATE TEMPORARY TABLE migsync_change (
    n BIGINT PRIMARY KEY, id BIGINT, applied VARBINARY(64),
    app VARBINARY(1020), name VARBINARY(1020), new_app VARBINARY(1020), new_name VARBINARY(1020),
    KEY (id), KEY (new_name(255))
) ENGINE = InnoDB;
INSERT INTO migsync_change VALUES
    (1, 2, '2025-03-02 09:30:00.123456', 'shop', '0002_everything', 'shop', '0003_stock'),
    (2, NULL, '2025-03-02 09:30:00.123456', NULL, NULL, 'shop', '0002_prices');
-- The other rows of these apps, which stay as they are.
CREATE TEMPORARY TABLE migsync_kept (
    id BIGINT PRIMARY KEY, applied VARBINARY(64), app VARBINARY(1020), name VARBINARY(1020)
) ENGINE = InnoDB;
INSERT INTO migsync_kept VALUES
    (1, '2025-03-01 09:30:00.123456', 'shop', '0001_initial');
SET @migsync_passed = '[{"id":"33386f49f2b9c567b4481e567335c42bdbf925b881f0dcf9f41d1d3f18a61bb1","format":1,"parents":[],"command":"rewrite remake","created":"2026-11-20T10:45:00Z","apps":{"shop":{"before":["0001_initial","0002_everything"],"after":["0001_initial","0002_prices","0003_stock"],"removed":[],"renamed":[["0002_everything","0003_stock"]],"collapsed":[[["0002_everything"],["0002_prices"]]]}}}]';
SET @migsync_returned = '[]';
SET @migsync_changes = '[{"kind":"rename","before":{"id":2,"app":"shop","name":"0002_everything","applied":"2025-03-02 09:30:00.123456"},"after":{"id":2,"app":"shop","name":"0003_stock","applied":"2025-03-02 09:30:00.123456"},"cause":"20261120T104500_remake.toml"},{"kind":"insert","before":null,"after":{"id":null,"app":"shop","name":"0002_prices","applied":"2025-03-02 09:30:00.123456"},"cause":"20261120T104500_remake.toml"}]';
SET @migsync_digests = '{"shop.0001_initial":"0000000000000000000000000000000000000000000000000000000000000000","shop.0003_stock":"0000000000000000000000000000000000000000000000000000000000000000","shop.0002_prices":"0000000000000000000000000000000000000000000000000000000000000000"}';

SET @migsync_open = 0, @migsync_again = 0, @migsync_gate = 0, @migsync_lock = NULL, @migsync_safe = NULL,
    @migsync_locked = NULL, @migsync_present = NULL, @migsync_as_before = NULL, @migsync_as_after = NULL,
    @migsync_bearers = NULL, @migsync_inserted = NULL, @migsync_named = 0, @migsync_standing = NULL,
    @migsync_beside = 0, @migsync_kept = 0, @migsync_done = NULL;
SELECT ENGINE = 'InnoDB' INTO @migsync_safe FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'django_migrations';

-- Readers continue. Writers wait, and so does migrate in a project with migsync.companion. The locking read
-- begins the transaction: a plain read before it would fix an older snapshot.
SELECT IF(@migsync_stop = '', GET_LOCK(CONCAT('migsync ', SHA1(DATABASE())), 10), 0) INTO @migsync_lock;
SET SESSION autocommit = IF(@migsync_stop = '', 0, @@SESSION.autocommit);
SET @migsync_sql = IF(@migsync_stop = '', 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_sql = IF(@migsync_stop = '', 'SELECT COUNT(*) INTO @migsync_locked FROM django_migrations FOR UPDATE', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;

-- present: rows that have an id of the plan; as_before, as_after: those that are as before or as after the plan;
-- bearers: rows that have a new name of the plan; inserted: those that are a new row of the plan;
-- named: rows that the plan deletes without knowing their id; standing: the last run of the plan that is in force;
-- beside: other rows of the same apps; kept: those that are as they were when the plan was made.
SELECT COUNT(*),
       COUNT(CASE WHEN CONVERT(m.app USING utf8mb4) = c.app AND CONVERT(m.name USING utf8mb4) = c.name AND CAST(m.applied AS CHAR) <=> c.applied THEN 1 END),
       COUNT(CASE WHEN CONVERT(m.app USING utf8mb4) = c.new_app AND CONVERT(m.name USING utf8mb4) = c.new_name AND CAST(m.applied AS CHAR) <=> c.applied THEN 1 END)
  INTO @migsync_present, @migsync_as_before, @migsync_as_after
  FROM migsync_change AS c JOIN django_migrations AS m ON m.id = c.id;
SELECT COUNT(*), COUNT(CASE WHEN c.id IS NULL AND CAST(m.applied AS CHAR) <=> c.applied THEN 1 END)
  INTO @migsync_bearers, @migsync_inserted
  FROM django_migrations AS m JOIN migsync_change AS c
       ON c.new_name = CONVERT(m.name USING utf8mb4) AND c.new_app = CONVERT(m.app USING utf8mb4);
SELECT COUNT(*), COUNT(k.id) INTO @migsync_beside, @migsync_kept
  FROM django_migrations AS m LEFT JOIN migsync_change AS c ON c.id = m.id LEFT JOIN migsync_kept AS k ON k.id = m.id AND CONVERT(m.app USING utf8mb4) = k.app AND CONVERT(m.name USING utf8mb4) = k.name AND CAST(m.applied AS CHAR) <=> k.applied
 WHERE c.n IS NULL AND CAST(CONVERT(m.app USING utf8mb4) AS BINARY) IN (CAST('shop' AS BINARY));
SET @migsync_standing = (
    WITH RECURSIVE family (root, number, id) AS (
        SELECT id, number, id FROM migsync_run WHERE plan_id = '2d5ca720a4ab2a0b895fce9e6c24ec98'
        UNION ALL
        SELECT f.root, f.number, r.id FROM migsync_run AS r JOIN family AS f ON r.undoes = f.id
    )
    SELECT root FROM family GROUP BY root, number HAVING count(*) % 2 = 1 ORDER BY number DESC LIMIT 1
);

-- Write nothing unless every row is as planned and no other row has a new name.
SET @migsync_gate = COALESCE(
    @migsync_present = 1 AND @migsync_as_before = 1 AND @migsync_bearers = 0 AND @migsync_beside = 1 AND @migsync_kept = 1, 0);
SET @migsync_again = COALESCE(NOT @migsync_gate AND
    @migsync_present = 1 AND @migsync_as_after = 1 AND @migsync_inserted = 1 AND @migsync_standing IS NOT NULL, 0);
SET @migsync_open = COALESCE(@migsync_stop = '' AND @migsync_gate = 1 AND @migsync_lock = 1 AND @migsync_safe = 1
    AND @migsync_locked >= 0, 0);

-- List the rows that are not as planned.
SELECT CONCAT('row ', c.id, ' is not ', CONVERT(c.app USING utf8mb4), '.', CONVERT(c.name USING utf8mb4),
              COALESCE(CONCAT(', applied ', CONVERT(c.applied USING utf8mb4)), '')) AS stale
  FROM migsync_change AS c LEFT JOIN django_migrations AS m
       ON m.id = c.id AND CONVERT(m.app USING utf8mb4) = c.app AND CONVERT(m.name USING utf8mb4) = c.name AND CAST(m.applied AS CHAR) <=> c.applied
 WHERE m.id IS NULL AND c.id IS NOT NULL AND c.name IS NOT NULL AND @migsync_stop = '' AND @migsync_gate = 0 AND @migsync_again = 0
 ORDER BY c.n LIMIT 10;

SELECT CONCAT('row ', k.id, ' is not ', CONVERT(k.app USING utf8mb4), '.', CONVERT(k.name USING utf8mb4),
              COALESCE(CONCAT(', applied ', CONVERT(k.applied USING utf8mb4)), '')) AS stale
  FROM migsync_kept AS k LEFT JOIN django_migrations AS m
       ON m.id = k.id AND CONVERT(m.app USING utf8mb4) = k.app AND CONVERT(m.name USING utf8mb4) = k.name AND CAST(m.applied AS CHAR) <=> k.applied
 WHERE m.id IS NULL AND @migsync_stop = '' AND @migsync_gate = 0 AND @migsync_again = 0
 ORDER BY k.id LIMIT 10;
SELECT CONCAT('row ', m.id, ', ', m.app, '.', m.name, ', is not in the plan') AS stale
  FROM django_migrations AS m LEFT JOIN migsync_change AS c ON c.id = m.id LEFT JOIN migsync_kept AS k ON k.id = m.id
 WHERE k.id IS NULL AND c.n IS NULL AND CAST(CONVERT(m.app USING utf8mb4) AS BINARY) IN (CAST('shop' AS BINARY))
   AND @migsync_stop = '' AND @migsync_gate = 0 AND @migsync_again = 0
 ORDER BY m.id LIMIT 10;

UPDATE django_migrations AS m JOIN migsync_change AS c ON c.id = m.id
   SET m.app = CONVERT(c.new_app USING utf8mb4), m.name = CONVERT(c.new_name USING utf8mb4),
       m.applied = m.applied
 WHERE c.name IS NOT NULL AND c.new_name IS NOT NULL AND @migsync_open = 1;
SET @migsync_open = (@migsync_open = 1 AND ROW_COUNT() = 1);

INSERT INTO django_migrations (app, name, applied)
SELECT CONVERT(new_app USING utf8mb4), CONVERT(new_name USING utf8mb4), CONVERT(applied USING utf8mb4)
  FROM migsync_change WHERE name IS NULL AND id IS NULL AND @migsync_open = 1 ORDER BY n;
SET @migsync_open = (@migsync_open = 1 AND ROW_COUNT() = 1);

-- The journal.
SET @migsync_open = COALESCE(@migsync_open = 1 AND LENGTH(@migsync_passed) = 383 AND LENGTH(@migsync_returned) = 2 AND LENGTH(@migsync_changes) = 404 AND LENGTH(@migsync_digests) = 259, 0);
SELECT COALESCE(MAX(number), 0) + 1 INTO @migsync_number FROM migsync_run;
INSERT INTO migsync_run (
    number, id, kind, plan_id, at, author, version, reason, undoes, passed, returned, changes, digests)
SELECT @migsync_number, CONCAT('2d5ca720a4ab2a0b895fce9e', LPAD(LOWER(HEX(@migsync_number)), 8, '0')),
       'apply', '2d5ca720a4ab2a0b895fce9e6c24ec98',
       DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ'),
       LEFT(USER(), 255), '1.0.0rc1', '', NULL,
       @migsync_passed, @migsync_returned, @migsync_changes, @migsync_digests
  FROM DUAL WHERE @migsync_open = 1;
SET @migsync_open = (@migsync_open = 1 AND ROW_COUNT() = 1);

-- Check what was written.
SELECT COUNT(*),
       COUNT(CASE WHEN CONVERT(m.app USING utf8mb4) = c.app AND CONVERT(m.name USING utf8mb4) = c.name AND CAST(m.applied AS CHAR) <=> c.applied THEN 1 END),
       COUNT(CASE WHEN CONVERT(m.app USING utf8mb4) = c.new_app AND CONVERT(m.name USING utf8mb4) = c.new_name AND CAST(m.applied AS CHAR) <=> c.applied THEN 1 END)
  INTO @migsync_present, @migsync_as_before, @migsync_as_after
  FROM migsync_change AS c JOIN django_migrations AS m ON m.id = c.id;
SELECT COUNT(*), COUNT(CASE WHEN c.id IS NULL AND CAST(m.applied AS CHAR) <=> c.applied THEN 1 END)
  INTO @migsync_bearers, @migsync_inserted
  FROM django_migrations AS m JOIN migsync_change AS c
       ON c.new_name = CONVERT(m.name USING utf8mb4) AND c.new_app = CONVERT(m.app USING utf8mb4);
SELECT COUNT(*), COUNT(k.id) INTO @migsync_beside, @migsync_kept
  FROM django_migrations AS m LEFT JOIN migsync_change AS c ON c.id = m.id LEFT JOIN migsync_kept AS k ON k.id = m.id AND CONVERT(m.app USING utf8mb4) = k.app AND CONVERT(m.name USING utf8mb4) = k.name AND CAST(m.applied AS CHAR) <=> k.applied
 WHERE c.n IS NULL AND CAST(CONVERT(m.app USING utf8mb4) AS BINARY) IN (CAST('shop' AS BINARY));

SET @migsync_open = COALESCE(@migsync_open = 1 AND
    @migsync_present = 1 AND @migsync_as_after = 1 AND @migsync_inserted = 1, 0);

SET @migsync_sql = IF(@migsync_open = 1, 'COMMIT', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
SET @migsync_done = (@migsync_open = 1 AND ROW_COUNT() = 0);
SET @migsync_sql = IF(@migsync_stop = '', 'ROLLBACK', 'DO 0');
PREPARE migsync_statement FROM @migsync_sql;
EXECUTE migsync_statement;
DEALLOCATE PREPARE migsync_statement;

SET @migsync_said = CASE
    WHEN COALESCE(@migsync_stop, 'x') <> '' THEN @migsync_stop
    WHEN @migsync_done = 1 THEN 'migsync: applied, 2 rows'
    WHEN @migsync_again = 1 THEN 'migsync: already applied'
    WHEN @migsync_lock IS NULL OR @migsync_lock = 0
        THEN 'migsync: not applied, nothing changed: another migsync holds the lock'
    WHEN @migsync_locked IS NULL
        THEN 'migsync: not applied, nothing changed: django_migrations could not be locked'
    WHEN @migsync_safe IS NULL OR @migsync_safe = 0
        THEN 'migsync: not applied, nothing changed: django_migrations is not an InnoDB table; it cannot roll back'
    WHEN @migsync_gate = 1 THEN 'migsync: failed, rolled back, nothing changed'
    ELSE CONCAT('migsync: stale, nothing changed: ', 1 - @migsync_as_before - @migsync_named,
                ' of 2 rows not as planned; new names already taken: ',
                GREATEST(@migsync_bearers - 0, 0),
                '; other rows of these apps not as planned: ',
                GREATEST(@migsync_beside, 1) - @migsync_kept)
END;
SELECT @migsync_said AS outcome;
DO IF(@migsync_lock = 1, RELEASE_LOCK(CONCAT('migsync ', SHA1(DATABASE()))), 0);
SET SESSION time_zone = @migsync_time_zone, sql_mode = @migsync_sql_mode,
    innodb_lock_wait_timeout = @migsync_row_wait, lock_wait_timeout = @migsync_table_wait,
    sql_safe_updates = @migsync_safe_updates, sql_select_limit = @migsync_limit, sql_big_selects = @migsync_big,
    autocommit = IF(@migsync_stop = '', @migsync_autocommit, @@SESSION.autocommit);
DROP TEMPORARY TABLE IF EXISTS migsync_change, migsync_kept;

-- For the exit status: if nothing was applied, insert the same key twice, an error that shows the outcome.
INSERT INTO migsync_outcome
SELECT @migsync_said FROM (SELECT 1 UNION ALL SELECT 2) AS twice
 WHERE NOT COALESCE(@migsync_done = 1 OR @migsync_again = 1, 0);
DROP TEMPORARY TABLE IF EXISTS migsync_outcome;
