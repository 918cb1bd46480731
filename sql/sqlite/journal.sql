-- migsync 0.1.0: the journal, which notes every run of migsync beside django_migrations.
-- Creates the two tables where they are absent; run it any number of times, in the schema of the table.
-- Run        sqlite3 -bail -cmd '.timeout 10000' DATABASE < journal.sql

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
