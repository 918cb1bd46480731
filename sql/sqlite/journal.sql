-- migsync 0.1.0: create the journal, in which migsync notes every run.
-- Creates two tables beside django_migrations, unless they exist. It is safe to run it again.
-- To run     sqlite3 -bail -cmd '.timeout 10000' DATABASE < journal.sql

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
